// How does a dashboard's file become a scene? Grafana's own conversion is not published.
import * as scenes from "@grafana/scenes";

const SOURCE = { type: "prometheus", uid: "${datasource}" };

/**
 * Return the scene of a dashboard in the classic form, and the rows of the grid that it takes.
 *
 * Folded rows are shown open, so that all panels are seen. `chosen` gives values for variables;
 * those without one show everything that there is.
 */
export function sceneOf(dashboard, { from, to, chosen }) {
  const items = unfolded(dashboard.panels);
  const variables = dashboard.templating.list.map((each) => variableOf(each, chosen));
  const scene = new scenes.EmbeddedScene({
    $timeRange: new scenes.SceneTimeRange({ from, to }),
    $variables: new scenes.SceneVariableSet({ variables }),
    controls: [
      new scenes.VariableValueSelectors({}),
      new scenes.SceneControlsSpacer(),
      new scenes.SceneTimePicker({}),
    ],
    // All at once: a panel that waits until it is scrolled to would be missing on the picture.
    body: new scenes.SceneGridLayout({ isLazy: false, children: items.map(itemOf) }),
  });
  const rows = Math.max(...items.map(({ gridPos }) => gridPos.y + gridPos.h));
  return { scene, rows };
}

/** Open folded rows; what is below them moves down. */
function unfolded(panels) {
  let moved = 0;
  return panels.flatMap((panel) => {
    const inner = panel.panels ?? [];
    const opened = [panel, ...inner].map((each) => ({
      ...each,
      gridPos: { ...each.gridPos, y: each.gridPos.y + moved },
    }));
    const below = panel.gridPos.y + panel.gridPos.h;
    moved += Math.max(0, ...inner.map(({ gridPos }) => gridPos.y + gridPos.h - below));
    return opened;
  });
}

function itemOf(panel) {
  const { x, y, w: width, h: height } = panel.gridPos;
  if (panel.type === "row") {
    return new scenes.SceneGridRow({ key: `row-${panel.id}`, title: panel.title, y });
  }
  return new scenes.SceneGridItem({ x, y, width, height, body: panelOf(panel) });
}

function panelOf({ description, fieldConfig, id, options, title, type, ...panel }) {
  const queries = panel.targets.map((target) => ({ ...target, datasource: SOURCE }));
  const maxDataPoints = panel.maxDataPoints;
  const asked = new scenes.SceneQueryRunner({ datasource: SOURCE, queries, maxDataPoints });
  const $data = panel.transformations
    ? new scenes.SceneDataTransformer({ $data: asked, transformations: panel.transformations })
    : asked;
  const key = `panel-${id}`;
  return new scenes.VizPanel({
    ...{ $data, description, fieldConfig, key, options, pluginId: type, title },
  });
}

function variableOf({ hide, includeAll, label, multi, name, ...variable }, chosen) {
  const common = { hide, includeAll, isMulti: multi, label, name };
  if (variable.type === "datasource") {
    return new scenes.DataSourceVariable({ ...common, pluginId: variable.query });
  }
  const given = chosen.getAll(`var-${name}`);
  const value = given.length ? given : includeAll ? ["$__all"] : "";
  return new scenes.QueryVariable({
    ...common,
    datasource: SOURCE,
    query: variable.query,
    allValue: variable.allValue,
    value: multi || !given.length ? value : given[0],
    text: "",
  });
}
