"""How is a dashboard written as Grafana's file?

The only importer of grafana-foundation-sdk, which is needed to render the files and by nobody who
runs the agent. The form is the classic one, which Grafana's provisioning reads in every version.
"""

import json
import warnings
from typing import Any

from agent.exposition.dashboards import links
from agent.exposition.dashboards.fields import field_config
from agent.exposition.dashboards.layout import Place, PlacedRow, laid_out, number
from agent.exposition.dashboards.model import Board, Note, Panel, Query, Shape, Variable
from agent.exposition.dashboards.notes import NOTES

with warnings.catch_warnings():
    # It recommends its second form, which provisioning refuses.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import bargauge, common, prometheus, stat, statetimeline
    from grafana_foundation_sdk.models import dashboard as grafana
    from grafana_foundation_sdk.models import table as tables
    from grafana_foundation_sdk.models import timeseries as lines

SCHEMA = 42
TAG = "mailflow"
_SOURCE = common.DataSourceRef("prometheus", "${datasource}")
_LAST = common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields="")


def drawn(board: Board) -> str:
    """Return the text of the file of a dashboard."""
    panels: list[grafana.Panel | grafana.RowPanel] = []
    for placed in laid_out(board):
        panels += _row(placed)
    drawing = grafana.Dashboard(
        uid=board.uid,
        title=board.title,
        description=" ".join(board.answers),
        tags=[TAG],
        editable=False,
        graph_tooltip=grafana.DashboardCursorSync.CROSSHAIR,
        time=grafana.DashboardDashboardTime("now-6h", "now"),
        refresh="1m",
        schema_version=SCHEMA,
        panels=panels,
        templating=grafana.DashboardDashboardTemplating(
            [_data_source(), *map(_variable, board.variables)]
        ),
        annotations=grafana.AnnotationContainer([_note(note) for note in NOTES]),
        links=[
            grafana.DashboardLink(
                "Mailflow",
                grafana.DashboardLinkType.DASHBOARDS,
                tags=[TAG],
                as_dropdown=True,
                include_vars=False,
                keep_time=True,
            ),
            grafana.DashboardLink(
                links.STATUS_PAGE.title,
                grafana.DashboardLinkType.LINK,
                icon="external link",
                url=links.STATUS_PAGE.url,
                target_blank=True,
            ),
        ],
    )
    plain = json.loads(json.dumps(drawing, cls=JSONEncoder))
    for shown in (*plain["links"], *plain["annotations"]["list"]):
        del shown["placement"]  # the library knows only one, which hides it in a menu
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def _data_source() -> grafana.VariableModel:
    return grafana.VariableModel(
        grafana.VariableType.DATASOURCE,
        name="datasource",
        label="Data source",
        query="prometheus",
        hide=grafana.VariableHide.DONT_HIDE,
    )


def _variable(variable: Variable) -> grafana.VariableModel:
    return grafana.VariableModel(
        grafana.VariableType.QUERY,
        name=variable.name,
        label=variable.label,
        query=variable.query,
        definition=variable.query,
        datasource=_SOURCE,
        refresh=grafana.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=grafana.VariableSort.ALPHABETICAL_ASC,
        multi=variable.several,
        include_all=variable.every,
        all_value=".+" if variable.every else None,
        current=grafana.VariableOption(selected=True, text="All", value="$__all")
        if variable.every
        else None,
        hide=grafana.VariableHide.HIDE_VARIABLE
        if variable.hidden
        else grafana.VariableHide.DONT_HIDE,
    )


def _note(note: Note) -> grafana.AnnotationQuery:
    return grafana.AnnotationQuery(
        name=note.name,
        datasource=_SOURCE,
        enable=True,
        icon_color=note.colour,
        expr=note.expr,
        title_format=note.title,
        step="60s",
    )


def _row(placed: PlacedRow) -> list[grafana.Panel | grafana.RowPanel]:
    panels = [_panel(panel, place) for panel, place in placed.panels]
    row = placed.row
    heading = grafana.RowPanel(
        collapsed=row.folded,
        title=row.title,
        grid_pos=_at(placed.at),
        id_val=number(row.title),
        panels=panels if row.folded else [],
    )
    return [heading] if row.folded else [heading, *panels]


def _at(place: Place) -> grafana.GridPos:
    return grafana.GridPos(h=place.h, w=place.w, x=place.x, y=place.y)


def _panel(panel: Panel, place: Place) -> grafana.Panel:
    return grafana.Panel(
        panel.shape.value,
        number(panel.title),
        title=panel.title,
        description=panel.advice,
        datasource=_SOURCE,
        grid_pos=_at(place),
        targets=[_target(panel, index, query) for index, query in enumerate(panel.queries)],
        options=_options(panel),
        field_config=field_config(panel),
        transformations=_transformations(panel),
    )


def _target(panel: Panel, index: int, query: Query) -> prometheus.Dataquery:
    now = panel.shape in {Shape.TABLE, Shape.GAUGES, Shape.STAT}
    is_table = panel.shape is Shape.TABLE
    return prometheus.Dataquery(
        datasource=_SOURCE,
        editor_mode=prometheus.QueryEditorMode.CODE,
        expr=query.expr,
        format_val=prometheus.PromQueryFormat.TABLE
        if is_table
        else prometheus.PromQueryFormat.TIME_SERIES,
        instant=now,
        range_val=not now,
        legend_format=None if is_table else query.legend,
        ref_id=chr(ord("A") + index),
    )


def _options(panel: Panel) -> object:
    legend = common.VizLegendOptions(
        common.LegendDisplayMode.TABLE,
        common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=["lastNotNull", "max"],
    )
    tooltip = common.VizTooltipOptions(common.TooltipDisplayMode.MULTI, common.SortOrder.DESCENDING)
    options: dict[Shape, object] = {
        Shape.STAT: stat.Options(
            common.BigValueGraphMode.NONE,
            common.BigValueColorMode.BACKGROUND_SOLID,
            text_mode=_text_mode(panel),
            reduce_options=_LAST,
        ),
        Shape.LINES: lines.Options(legend=legend, tooltip=tooltip),
        Shape.BAND: statetimeline.Options(
            common.VisibilityMode.NEVER,
            legend=common.VizLegendOptions(
                common.LegendDisplayMode.LIST, common.LegendPlacement.BOTTOM, show_legend=True
            ),
            tooltip=tooltip,
        ),
        Shape.TABLE: tables.Options(
            cell_height=common.TableCellHeight.SM,
            sort_by=[common.TableSortByFieldState(panel.sorted_by, panel.descending)]
            if panel.sorted_by
            else [],
        ),
        Shape.GAUGES: bargauge.Options(
            common.BarGaugeDisplayMode.BASIC,
            common.BarGaugeValueMode.COLOR,
            text=common.VizTextDisplayOptions(title_size=14, value_size=18),
            orientation=common.VizOrientation.HORIZONTAL,
            reduce_options=_LAST,
        ),
    }
    return options[panel.shape]


def _text_mode(panel: Panel) -> common.BigValueTextMode:
    """Have a tile of a subject say whose it is, also where only one of several has a value."""
    is_of_subject = any("{{" in query.legend for query in panel.queries)
    return (
        common.BigValueTextMode.VALUE_AND_NAME if is_of_subject else common.BigValueTextMode.VALUE
    )


def _transformations(panel: Panel) -> list[grafana.DataTransformerConfig] | None:
    """Put a table's answers into one, and name its columns."""
    if panel.shape is not Shape.TABLE:
        return None
    single = len(panel.queries) == 1
    names = {
        "Value" if single else f"Value #{chr(ord('A') + index)}": query.legend
        for index, query in enumerate(panel.queries)
    }
    original = {title: name for name, title in names.items()}
    order = {
        original.get(column.name, column.name): index for index, column in enumerate(panel.columns)
    }
    organised: dict[str, Any] = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": names,
    }
    merge = [] if single else [grafana.DataTransformerConfig("merge", options={})]
    return [*merge, grafana.DataTransformerConfig("organize", options=organised)]
