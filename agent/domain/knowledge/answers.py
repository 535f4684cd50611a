# ruff: noqa: RUF001 - other languages have other letters
"""With which words do automatic answers begin their subjects?

As Exchange, Exchange Online and others write them in the languages of their users; in lower case,
as patterns for the start of a subject. Data that grows as languages turn up.
"""

AUTO_REPLY_SUBJECTS: tuple[str, ...] = (
    r"auto(?:matic)?[- ]?(?:reply|response|answer)",
    r"auto",
    r"out of (?:the )?office(?: reply)?",
    r"automatische antwort",
    r"abwesenheits(?:notiz|nachricht|assistent)",
    r"réponse automatique",
    r"risposta automatica",
    r"respuesta automática",
    r"resposta automática",
    r"automatisch antwoord",
    r"automatiskt? svar",
    r"autosvar",
    r"automaattinen vastaus",
    r"odpowied[źz] automatyczna",
    r"automatická odpověď",
    r"automatikus válasz",
    r"otomatik yanıt",
    r"răspuns automat",
    r"автоматический ответ",
    r"автоответ",
    r"автоматична відповідь",
    r"αυτόματη απάντηση",
    r"自動応答",
    r"自動返信",
    r"自动答复",
    r"自動回覆",
    r"자동 회신",
)
"""What a colon follows: enough to tell an automatic answer by."""

AWAY_SUBJECTS: tuple[str, ...] = (
    r"out of (?:the )?office",
    r"(?:i am |i'm )?away (?:from|until|on)",
    r"on (?:vacation|leave|holiday)",
    r"vacation",
    r"abwesen",
    r"im urlaub",
    r"nicht im büro",
    r"absen[ct]",
    r"fuera de la oficina",
    r"ausente",
    r"fora do escritório",
    r"fuori (?:sede|ufficio)",
    r"afwezig",
    r"frånvaro",
    r"poissa",
    r"nieobecn",
    r"отсутств",
    r"不在",
)
"""What people write of their absence: enough in an answer only, for others write of it too."""

FORWARD_PREFIXES: tuple[str, ...] = ("fwd?", "wg", "tr", "rv", "enc", "i", "doorst", "vs", "vb")
"""What mail programs put before the subject of a message that a person or a rule passes on."""
