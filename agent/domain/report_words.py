"""What does a report of failure come to in one sentence?"""

from agent.domain.dsn import Report
from agent.domain.knowledge.reply import ReplyClass


def is_loop(report: Report) -> bool:
    """Tell whether the report says that the message went round until somebody cut that."""
    return any(each.diagnosis.reply_class is ReplyClass.LOOP for each in report.recipients)


def sentence(report: Report) -> str:
    """Say who failed to deliver to whom, and why: the first recipient stands for all."""
    if not report.recipients:
        return f"a report says {report.kind.value}"
    first = report.recipients[0]
    words = [f"report of {report.reporting_mta}:" if report.reporting_mta else "report:"]
    said = str(first.diagnostic)
    words += [each for each in (str(first.reply or ""), first.status) if each and each not in said]
    words.append(str(first.diagnostic or report.kind.value))
    advice = first.diagnosis.advice
    return f"{' '.join(words)} ({' '.join(advice)})" if advice else " ".join(words)
