// How is Prometheus asked? As Grafana's data source would, as far as these dashboards need it.
import { DataSourceApi, toDataFrame } from "@grafana/data";
import { getTemplateSrv } from "@grafana/runtime";
import { asked } from "./watch.js";

const RATE_SECONDS = 20; // enough samples for a rate at one scrape a second
// A month in steps of an hour is empty in a Prometheus that has run for a minute.
const LONG = /\[30d:1h\]/g;
const SHORT = "[10m:10s]";

const settings = {
  ...{ id: 1, uid: "preview", type: "prometheus", name: "Prometheus", access: "proxy" },
  ...{ jsonData: {}, readOnly: true, isDefault: true },
  meta: { id: "prometheus", name: "Prometheus", info: { logos: {} }, metrics: true },
};

/** A stand-in for the data source Prometheus, which speaks to its HTTP API. */
export class Source extends DataSourceApi {
  constructor(url) {
    super(settings);
    this.instanceSettings = settings;
    this.url = url;
  }

  async query(request) {
    const frames = request.targets.map((target) => this.answer(target, request));
    return { data: (await Promise.all(frames)).flat() };
  }

  async answer(target, request) {
    const [start, end] = [request.range.from, request.range.to].map((at) => at.valueOf() / 1000);
    const step = Math.max(1, Math.ceil((end - start) / (request.maxDataPoints ?? 500)));
    const query = expanded(target.expr, request.scopedVars);
    const result = target.instant
      ? await this.ask("query", { query, time: end })
      : await this.ask("query_range", { query, start, end, step });
    asked();
    if (target.format === "table") {
      return [table(result.result, target, request.targets.length)];
    }
    return result.result.map((series) => frame(series, target, step));
  }

  /** Answer a query variable: label_values(SELECTOR, LABEL). */
  async metricFindQuery(query, options) {
    const text = expanded(query.query ?? query, options?.scopedVars);
    const [, selector, label] = text.match(/^label_values\((.+), *(\w+)\)$/);
    const values = await this.ask(`label/${label}/values`, { "match[]": selector });
    asked();
    return values.map((value) => ({ text: value }));
  }

  async ask(path, parameters) {
    const reply = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = await reply.json();
    if (answer.status !== "success") {
      throw new Error(`${answer.error} in ${parameters.query}`);
    }
    return answer.data;
  }

  async testDatasource() {
    return { status: "success", message: "" };
  }
}

function expanded(expr, scoped) {
  const timed = expr.replaceAll("$__rate_interval", `${RATE_SECONDS}s`).replace(LONG, SHORT);
  return getTemplateSrv().replace(timed, scoped, asPattern);
}

function asPattern(value) {
  const escaped = [value].flat().map((each) => each.replace(/[\\^$*+?.()|[\]{}]/g, "\\\\$&"));
  return Array.isArray(value) ? `(${escaped.join("|")})` : escaped[0];
}

function frame(series, target, step) {
  const points = series.values ?? [series.value];
  const name = legend(target.legendFormat, series.metric);
  return toDataFrame({
    refId: target.refId,
    name,
    meta: { type: "timeseries-multi" },
    fields: [
      // The interval tells the panels what a gap is.
      { name: "Time", type: "time", config: { interval: step * 1000 }, values: times(points) },
      {
        ...{ name: "Value", type: "number", labels: series.metric, values: numbers(points) },
        config: { displayNameFromDS: name },
      },
    ],
  });
}

function table(result, target, targets) {
  const labels = [...new Set(result.flatMap((row) => Object.keys(row.metric)))].sort();
  const points = result.map((row) => row.value);
  const fields = labels.map((name) => ({
    ...{ name, type: "string", values: result.map((row) => row.metric[name] ?? "") },
  }));
  const value = targets > 1 ? `Value #${target.refId}` : "Value";
  return toDataFrame({
    refId: target.refId,
    fields: result.length
      ? [
          { name: "Time", type: "time", values: times(points) },
          ...fields,
          { name: value, type: "number", values: numbers(points) },
        ]
      : [],
  });
}

const times = (points) => points.map(([seconds]) => seconds * 1000);
const numbers = (points) => points.map(([, value]) => Number(value.replace("Inf", "Infinity")));

function legend(format, labels) {
  return format
    ? format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "")
    : JSON.stringify(labels);
}
