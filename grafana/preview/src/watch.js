// What went wrong, what was asked, and is everything drawn? preview.py reads it from the window.
import { FieldType, LoadingState } from "@grafana/data";
import { SceneQueryRunner, VizPanel, sceneGraph } from "@grafana/scenes";

const seen = { errors: [], queries: 0, isSettled: () => false, panels: () => [] };
window.preview = seen;
window.addEventListener("error", (event) => complain(event.message));
window.addEventListener("unhandledrejection", (event) => {
  complain(String(event.reason?.stack ?? event.reason));
});

/** Note an error; any makes the preview fail. */
export function complain(message) {
  seen.errors.push(message);
}

/** Count a query that was sent. */
export function asked() {
  seen.queries += 1;
}

/** Watch a scene until each of its panels has its answer. */
export function watch(scene) {
  const panels = () => sceneGraph.findAllObjects(scene, (each) => each instanceof VizPanel);
  seen.isSettled = () => panels().length > 0 && panels().every(isSettled);
  seen.panels = () => panels().map(described);
}

function isSettled(panel) {
  const [runner] = sceneGraph.findAllObjects(panel, (each) => each instanceof SceneQueryRunner);
  const state = runner?.state.data?.state;
  const isAnswered = state === LoadingState.Done || state === LoadingState.Error;
  return isAnswered && panel.getPlugin() !== undefined && elementOf(panel) !== null;
}

function described(panel) {
  const series = sceneGraph.getData(panel).state.data?.series ?? [];
  const element = elementOf(panel);
  const title = element?.querySelector("h2");
  return {
    title: panel.state.title,
    type: panel.state.pluginId,
    notNumbers: series.flatMap((frame) => frame.fields).filter(hasNoNumber).length,
    rows: series.reduce((sum, frame) => sum + frame.length, 0),
    text: element?.innerText ?? "",
    // A renderer that fails is caught by Grafana's frame around it.
    isBroken: Boolean(element?.querySelector('[data-testid^="data-testid Alert"]')),
    isTitleCut: Boolean(title) && title.scrollWidth > title.clientWidth,
  };
}

function hasNoNumber(field) {
  return field.type === FieldType.number && field.values.some(Number.isNaN);
}

function elementOf(panel) {
  return document.querySelector(`[data-viz-panel-key="${panel.state.key}"]`);
}
