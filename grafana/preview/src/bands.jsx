// How does a state change over time? A stand-in: Grafana's own state timeline is not published.
import { getFieldDisplayName } from "@grafana/data";
import { VizLegend, measureText, useTheme2 } from "@grafana/ui";

const NOTE = "stand-in: Grafana's state timeline is not on npm";
const FOOT = 62; // pixels of time axis, legend and note
const SIZE = 12; // pixels of a letter
const TICK = 150; // pixels between two times

/** Draw a band for each series, coloured by value mappings, with gaps where there is no value. */
export function Bands({ data, fieldConfig, height, options, timeRange, width }) {
  const theme = useTheme2();
  const lines = data.series.flatMap((frame) => lineOf(frame, data.series));
  const shown = lines.slice(0, options.perPage);
  const longest = Math.max(0, ...shown.map((line) => measureText(line.name, SIZE).width));
  const left = Math.min(width * 0.4, longest + 10);
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const at = (time) => left + ((time - from) / (to - from)) * (width - left - 4);
  const row = (height - FOOT) / Math.max(1, shown.length);
  const count = Math.max(1, Math.floor((width - left) / TICK));
  const axis = { count, from, to, at, y: height - FOOT + 12, fill: theme.colors.text.secondary };
  const text = { fill: theme.colors.text.primary, fontSize: Math.max(6, Math.min(SIZE, row)) };
  return (
    <div>
      <svg width={width} height={height - FOOT + 16}>
        {shown.map((line, index) => (
          <g key={line.name} transform={`translate(0 ${index * row})`}>
            <text x={left - 6} y={row / 2} textAnchor="end" dominantBaseline="central" {...text}>
              {shortened(line.name, left)}
            </text>
            {line.spans.map((span) => (
              <rect
                key={span.from}
                x={at(span.from)}
                width={Math.max(1, at(Math.min(span.to, to)) - at(span.from))}
                {...{ y: row * (1 - options.rowHeight) * 0.5, height: row * options.rowHeight }}
                fill={span.color}
              />
            ))}
          </g>
        ))}
        <Times {...axis} />
      </svg>
      {lines.length ? null : fieldConfig.defaults.noValue}
      <VizLegend displayMode="list" placement="bottom" items={legendOf(shown)} />
      <small style={{ color: theme.colors.text.disabled, float: "right", fontSize: 9 }}>
        {lines.length > shown.length ? `${shown.length} of ${lines.length}; ` : ""}
        {NOTE}
      </small>
    </div>
  );
}

function lineOf(frame, frames) {
  const [time, ...fields] = frame.fields;
  const step = time.config.interval;
  return fields.map((field) => {
    const name = getFieldDisplayName(field, frame, frames);
    const spans = [];
    time.values.forEach((from, index) => {
      const { text, color } = field.display(field.values[index]);
      const last = spans.at(-1);
      if (last && last.text === text && from - last.to < step) {
        last.to = from + step;
      } else {
        spans.push({ from, to: from + step, text, color });
      }
    });
    return { name, spans };
  });
}

function legendOf(lines) {
  const spans = lines.flatMap((line) => line.spans);
  const byText = new Map(spans.map(({ text, color }) => [text, color]));
  return [...byText].map(([label, color]) => ({ label, color, yAxis: 1 }));
}

function shortened(name, pixels) {
  const room = Math.floor((name.length * (pixels - 10)) / measureText(name, SIZE).width);
  return name.length > room ? `${name.slice(0, room - 1)}…` : name;
}

function Times({ from, to, at, count, y, fill }) {
  const step = (to - from) / count;
  const times = Array.from({ length: count }, (_, index) => from + (index + 0.5) * step);
  return times.map((time) => (
    <text key={time} x={at(time)} y={y} textAnchor="middle" fontSize={SIZE} fill={fill}>
      {new Date(time).toLocaleTimeString("en-GB")}
    </text>
  ));
}
