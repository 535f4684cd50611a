// Who draws a panel? Grafana's panel plugins are not published; these are thin, on its components.
import { PanelPlugin, getDisplayValueAlignmentFactors, getFieldDisplayValues } from "@grafana/data";
import { BarGauge, BigValue, Table, TimeSeries, VizRepeater, useTheme2 } from "@grafana/ui";
import { Bands } from "./bands.jsx";
import { customOptions } from "./registries.js";

const GRAPH = {
  ...{ axisBorderShow: false, axisColorMode: "text", axisGridShow: true, axisLabel: "" },
  ...{ axisPlacement: "auto", axisSoftMin: undefined, barAlignment: 0, drawStyle: "line" },
  ...{ fillOpacity: 0, gradientMode: "none", lineInterpolation: "linear", lineStyle: undefined },
  ...{ lineWidth: 1, pointSize: 5, showPoints: "auto", spanNulls: false },
  hideFrom: { legend: false, tooltip: false, viz: false },
  scaleDistribution: { type: "linear" },
  stacking: { mode: "none", group: "A" },
  thresholdsStyle: { mode: "off" },
};
const CELLS = {
  ...{ align: "auto", cellOptions: { type: "auto" }, filterable: false, hidden: false },
  ...{ inspect: false, width: undefined },
};
const RENDERERS = {
  bargauge: [Gauges],
  stat: [Numbers],
  "state-timeline": [Bands, GRAPH],
  table: [Rows, CELLS],
  timeseries: [Lines, GRAPH],
};
const plugins = Object.fromEntries(
  Object.entries(RENDERERS).map(([id, [renderer, own = {}]]) => {
    const plugin = new PanelPlugin(renderer).useFieldConfig(customOptions(own));
    const info = { version: "12.3.1", logos: {} };
    plugin.meta = { id, name: id, type: "panel", info, baseUrl: "", module: "", sort: 1 };
    return [id, plugin];
  }),
);

/** Return what draws panels of a type; undefined where nothing does. */
export function pluginOf(id) {
  return plugins[id];
}

function Numbers(panel) {
  const theme = useTheme2();
  const { options } = panel;
  return (
    <VizRepeater
      {...repeated(panel, theme)}
      orientation={options.orientation}
      renderValue={({ value, width, height, count }) => (
        <BigValue
          {...{ width, height, count, theme, value: value.display, text: options.text }}
          {...{ colorMode: options.colorMode, graphMode: options.graphMode }}
          {...{ justifyMode: options.justifyMode, textMode: options.textMode }}
        />
      )}
    />
  );
}

function Gauges(panel) {
  const theme = useTheme2();
  const { options } = panel;
  return (
    <VizRepeater
      {...repeated(panel, theme)}
      orientation={options.orientation}
      {...{ minVizHeight: options.minVizHeight, maxVizHeight: options.maxVizHeight }}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, alignmentFactors }) => (
        <BarGauge
          {...{ width, height, theme, alignmentFactors, value: value.display, field: value.field }}
          {...{ orientation: options.orientation, displayMode: options.displayMode }}
          {...{ valueDisplayMode: options.valueMode, showUnfilled: options.showUnfilled }}
          {...{ namePlacement: options.namePlacement, text: options.text, itemSpacing: 8 }}
        />
      )}
    />
  );
}

function repeated({ data, fieldConfig, height, options, renderCounter, width, ...panel }, theme) {
  const getValues = () =>
    getFieldDisplayValues({
      ...{ fieldConfig, theme, timeZone: "browser", data: data.series },
      ...{ reduceOptions: options.reduceOptions, replaceVariables: panel.replaceVariables },
    });
  return { getValues, source: data, width, height, renderCounter, itemSpacing: 8 };
}

function Lines({ data, fieldConfig, height, options, timeRange, width }) {
  if (data.series.length === 0) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  return (
    <TimeSeries
      {...{ width, height, options, timeRange, timeZone: "browser", frames: data.series }}
      {...{ structureRev: data.structureRev, legend: options.legend }}
    >
      {() => null}
    </TimeSeries>
  );
}

// Grafana's newer table needs a later React than everything else here; Grafana 11 has this one.
function Rows({ data, fieldConfig, height, options, timeRange, width }) {
  const frame = data.series[options.frameIndex];
  if (!frame?.fields.length) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  return (
    <Table
      {...{ width, height, timeRange, data: frame, initialSortBy: options.sortBy }}
      {...{ cellHeight: options.cellHeight, noHeader: !options.showHeader }}
      showTypeIcons={options.showTypeIcons}
    />
  );
}

/** Say what a panel has instead of data. */
export function Nothing({ fieldConfig }) {
  const style = { display: "grid", placeContent: "center", height: "100%", textAlign: "center" };
  return <div style={style}>{fieldConfig.defaults.noValue ?? "No data"}</div>;
}
