// What can a field be configured to? Grafana says so in its program; here it is said again.
import * as data from "@grafana/data";

const options = {
  color: data.identityOverrideProcessor,
  decimals: data.numberOverrideProcessor,
  displayName: data.displayNameOverrideProcessor,
  fieldMinMax: data.booleanOverrideProcessor,
  filterable: data.booleanOverrideProcessor,
  links: data.dataLinksOverrideProcessor,
  mappings: data.valueMappingsOverrideProcessor,
  max: data.numberOverrideProcessor,
  min: data.numberOverrideProcessor,
  noValue: data.stringOverrideProcessor,
  thresholds: data.thresholdsOverrideProcessor,
  unit: data.unitOverrideProcessor,
};
const editors = "boolean color custom multi-select number radio select slider text unit".split(" ");
const nothing = () => null;

/** Fill the registries of @grafana/data, which are empty as they come. */
export function fillRegistries() {
  data.standardFieldConfigEditorRegistry.setInit(() =>
    Object.entries(options).map(([id, process]) => ({
      ...{ id, path: id, name: id, process },
      ...{ editor: nothing, override: nothing, shouldApply: () => true, settings: {} },
    })),
  );
  data.standardEditorsRegistry.setInit(() =>
    editors.map((id) => ({ id, name: id, editor: nothing })),
  );
  data.standardTransformersRegistry.setInit(() => {
    // Some are exported under two names, and a registry takes each once.
    const byId = new Map(Object.values(data.standardTransformers).map((each) => [each.id, each]));
    return [...byId.values()].map((each) => ({
      ...{ id: each.id, name: each.name, transformation: each, editor: nothing },
    }));
  });
}

/** Declare a panel's own field options, with their defaults. */
export function customOptions(defaults) {
  return {
    useCustomConfig: (builder) => {
      for (const [id, defaultValue] of Object.entries(defaults)) {
        builder.addCustomEditor({
          ...{ id, path: id, name: id, defaultValue },
          ...{ editor: nothing, override: nothing, process: (value) => value },
          shouldApply: () => true,
        });
      }
    },
  };
}
