// What does Grafana's program lend to its libraries, and who lends it here?
import * as data from "@grafana/data";
import * as runtime from "@grafana/runtime";
import { sceneGraph } from "@grafana/scenes";
import { catchError, from, map, of } from "rxjs";
import { pluginOf } from "./panels.jsx";
import { fillRegistries } from "./registries.js";
import { complain } from "./watch.js";

/** Lend everything that the libraries ask for: theme, data source, panels. */
export function lend(theme, source) {
  Object.assign(runtime.config, { theme2: theme, featureToggles: {} });
  runtime.config.bootData = { user: {}, settings: {}, navTree: [] };
  fillRegistries();
  data.setTimeZoneResolver(() => "browser");
  lendQueries(source);
  lendPanels();
  runtime.setAppEvents(new data.EventBusSrv());
  runtime.setEchoSrv({ addEvent() {}, addBackend() {}, flush() {} });
}

function lendQueries(source) {
  const settings = source.instanceSettings;
  runtime.setDataSourceSrv({
    get: async () => source,
    getList: () => [settings],
    getInstanceSettings: () => settings,
    reload() {},
    registerRuntimeDataSource() {},
  });
  runtime.setTemplateSrv({
    replace: (text, scoped, format) => {
      const object = scoped?.__sceneObject?.value.valueOf();
      return object ? sceneGraph.interpolate(object, text, scoped, format) : text;
    },
    getVariables: () => [],
    containsTemplate: () => false,
    updateTimeRange() {},
  });
  runtime.setRunRequest((_, request) => answered(source, request));
}

function answered(source, request) {
  const common = { annotations: [], timeRange: request.range, request };
  return from(source.query(request)).pipe(
    map(({ data: series }) => ({ ...common, state: data.LoadingState.Done, series })),
    catchError((error) => {
      complain(`query: ${error.message}`);
      const errors = [{ message: error.message }];
      return of({ ...common, state: data.LoadingState.Error, series: [], errors });
    }),
  );
}

function lendPanels() {
  runtime.setPluginImportUtils({
    importPanelPlugin: async (id) => {
      const plugin = pluginOf(id);
      if (!plugin) {
        complain(`no renderer of panels of type ${id}`);
        throw new Error(`no renderer of ${id}`);
      }
      return plugin;
    },
    getPanelPluginFromCache: pluginOf,
  });
  // Plugins of others could add to a panel's menu; there are none.
  runtime.setPluginComponentHook(() => ({ isLoading: false, component: null }));
  runtime.setPluginLinksHook(() => ({ isLoading: false, links: [] }));
  runtime.setReturnToPreviousHook(() => () => {});
}
