"""How are the values of a panel written and coloured?

What is not there is grey and says so, on every panel: the colour of the first step would else be
taken, and an absent agent would be green.
"""

import warnings
from typing import Any

from agent.exposition.dashboards import words
from agent.exposition.dashboards.model import Column, Link, Panel, Shape, Steps, Words

with warnings.catch_warnings():
    # It recommends its second form, which provisioning refuses.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.models import common
    from grafana_foundation_sdk.models import dashboard as grafana
    from grafana_foundation_sdk.models import statetimeline as band
    from grafana_foundation_sdk.models import table as tables
    from grafana_foundation_sdk.models import timeseries as lines

_NO_CELL = "-"
Override = grafana.DashboardFieldConfigSourceOverrides


def field_config(panel: Panel) -> grafana.FieldConfigSource:
    """Return what holds for all fields of a panel, and what for single ones."""
    low, high = panel.bounds
    by_value = panel.shape is not Shape.LINES
    defaults = grafana.FieldConfig(
        unit=panel.unit,
        decimals=panel.decimals,
        min_val=low,
        max_val=high,
        mappings=_mappings(panel.words, "" if panel.shape is Shape.TABLE else words.NOTHING),
        thresholds=_thresholds(panel.steps or words.PLAIN),
        color=grafana.FieldColor(
            grafana.FieldColorModeId.THRESHOLDS
            if by_value
            else grafana.FieldColorModeId.PALETTE_CLASSIC
        ),
        links=_links(panel.links),
        no_value=panel.nothing or words.NOTHING,
        custom=_custom(panel),
    )
    return grafana.FieldConfigSource(defaults, [*_columns(panel), *_series(panel)])


def _mappings(said: Words, absent: str) -> list[grafana.ValueMapping]:
    """Return the words of values, and *absent* for what is not there, in grey."""
    mappings: list[grafana.ValueMapping] = []
    if said:
        mappings.append(
            grafana.ValueMap(
                {
                    value: grafana.ValueMappingResult(word, colour, index=index)
                    for index, (value, word, colour) in enumerate(said)
                }
            )
        )
    if absent:
        mappings.append(
            grafana.SpecialValueMap(
                grafana.DashboardSpecialValueMapOptions(
                    grafana.SpecialValueMatch.NULL_AND_NAN,
                    grafana.ValueMappingResult(absent, words.GREY, index=len(said)),
                )
            )
        )
    return mappings


def _thresholds(steps: Steps) -> grafana.ThresholdsConfig:
    return grafana.ThresholdsConfig(
        grafana.ThresholdsMode.ABSOLUTE,
        [grafana.Threshold(value, colour) for value, colour in steps],
    )


def _links(links: tuple[Link, ...]) -> list[grafana.DashboardLink] | None:
    """Return links as Grafana has them on data; the library takes them for those of dashboards."""
    plain: list[Any] = [{"title": link.title, "url": link.url} for link in links]
    return plain or None


def _custom(panel: Panel) -> object:
    if panel.shape is Shape.BAND:
        return band.FieldConfig(line_width=0, fill_opacity=85)
    if panel.shape is Shape.TABLE:
        return tables.FieldConfig(align=common.FieldTextAlignment.AUTO, filterable=True)
    if panel.shape is Shape.LINES:
        return _line(panel)
    return None


def _line(panel: Panel) -> lines.FieldConfig:
    scale = (
        common.ScaleDistributionConfig(common.ScaleDistribution.LOG, 2)
        if panel.logarithmic
        else common.ScaleDistributionConfig(common.ScaleDistribution.LINEAR)
    )
    mode = (
        common.GraphThresholdsStyleMode.DASHED
        if panel.limits
        else common.GraphThresholdsStyleMode.OFF
    )
    return lines.FieldConfig(
        draw_style=common.GraphDrawStyle.BARS if panel.bars else common.GraphDrawStyle.LINE,
        thresholds_style=common.GraphThresholdsStyleConfig(mode),
        line_width=1 if panel.bars else 2,
        fill_opacity=70 if panel.bars else 25 if panel.stacked else 0,
        show_points=common.VisibilityMode.AUTO,
        axis_soft_min=None if panel.logarithmic else 0,
        scale_distribution=scale,
        stacking=common.StackingConfig(
            common.StackingMode.NORMAL if panel.stacked else common.StackingMode.NONE, "A"
        ),
    )


def _columns(panel: Panel) -> list[Override]:
    return [_override("byName", column.name, _of_column(column)) for column in panel.columns]


def _of_column(column: Column) -> dict[str, object]:
    properties: dict[str, object] = {"mappings": _mappings(column.words, _NO_CELL)}
    if column.unit:
        properties["unit"] = column.unit
    if column.steps:
        properties["thresholds"] = _thresholds(column.steps)
    if column.words or column.steps:
        properties["custom.cellOptions"] = {"type": "color-text"}
    if column.links:
        properties["links"] = _links(column.links)
    if column.width:
        properties["custom.width"] = column.width
    if column.hidden:
        properties["custom.hidden"] = True
    else:
        properties["noValue"] = _NO_CELL  # what an empty table says is another thing
    return properties


def _series(panel: Panel) -> list[Override]:
    fixed = [
        _override("byName", name, {"color": {"mode": "fixed", "fixedColor": colour}})
        for name, colour in panel.fixed
    ]
    dash = {"fill": "dash", "dash": [10, 10]}
    dashed = [
        _override(
            "byRegexp",
            f"/^{pattern}$/",
            {"custom.lineStyle": dash, "color": {"mode": "fixed", "fixedColor": words.RED}},
        )
        for pattern in panel.dashed
    ]
    return [*fixed, *dashed]


def _override(matcher: str, options: str, properties: dict[str, object]) -> Override:
    return Override(
        matcher=grafana.MatcherConfig(matcher, options),
        properties=[grafana.DynamicConfigValue(key, value) for key, value in properties.items()],
    )
