"""Write the shipped models to resources/models: csv_to_risk_map.model3, the whole chain, incidents_to_forecast.model3,
incidents_to_area_forecast.model3, incidents_to_warnings.model3, incidents_to_outcomes.model3, and
incidents_to_routes.model3.

Run with QGIS's Python after changing a chain here, or the default or limit of a parameter that it asks for; choices and
help follow the tools by themselves. The name of a file is the model's id; those of `earlier` are models as they were,
and stay as they are.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildDependency,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterField,
)
from qgis.PyQt.QtCore import QPointF

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "resources" / "models"

Source = QgsProcessingModelChildParameterSource
ASKED, FIXED = Source.fromModelParameter, Source.fromStaticValue
#: The places of the steps of all chains in the work. QGIS shows outputs in the order of the children's ids.
ORDER = {
    "import": 1,
    "join": 1,
    "grids": 2,
    "panel": 2,
    "index": 3,
    "scores": 4,
    "train": 5,
    "forecast": 6,
    "routes": 6,
    "warn": 6,
    "predict": 6,
    "classes": 7,
}
ADVANCED = QgsProcessingParameterDefinition.Flag.FlagAdvanced
OPTIONAL = QgsProcessingParameterDefinition.Flag.FlagOptional

#: The index has no choice of categories as the grids have: the same choice as its filter.
OF_THE_CATEGORIES = r"""
if(trim(coalesce(@categories, '')) = '', '', 'strpos(lower('''
|| replace(regexp_replace(';' || @categories || ';', '\\s*;\\s*', ';'), '''', '''''')
|| '''), lower('';'' || coalesce("category", ''(no category)'') || '';'')) > 0')
"""

#: What is made of grids, and of areas: of the forecast, and of its classes.
RASTERS = ({"OUTPUT": "Risk"}, {"OUTPUT": "Risk classes", "POLYGONS": "Class polygons"})
BY_AREA = ({"AREAS": "Risk by area", "TOP": "Top places"}, {"AREAS": "Risk classes by area"})
#: What a chain must make, though its tools can do without, since each makes it of grids or of areas alone.
MANDATORY = {"Risk", "Risk classes", "Risk by area", "Risk classes by area", "Warnings", "Outcomes", "Routes"}

KEPT = """\
The steps run one after the other. When one fails, the run ends with its reason; what the steps before it have made is
kept, loaded, and named in the log.
"""


@dataclass
class Input:
    """What a model asks for: a parameter of one of its tools, with that tool's limits, default and help.

    Attributes
    ----------
    name : str
        Of the model's parameter.
    tool, parameter : str
        Where it is declared.
    title : str
        Instead of the tool's own, where that is not clear among the others.
    advanced : bool
    layer : str
        For a field: the model's parameter that holds its layer.
    needed : bool
        Asked for, also where the tool does without.
    """

    name: str
    tool: str
    parameter: str
    title: str = ""
    advanced: bool = False
    layer: str = ""
    needed: bool = False

    def make(self) -> QgsProcessingParameterDefinition:
        """The model's parameter."""
        tool = QgsApplication.processingRegistry().algorithmById(f"crimerisk:{self.tool}")
        made = tool.parameterDefinition(self.parameter).clone()
        made.setName(self.name)
        if self.title:
            made.setDescription(self.title)
        made.setFlags(made.flags() | ADVANCED if self.advanced else made.flags() & ~ADVANCED)
        if self.needed:
            made.setFlags(made.flags() & ~OPTIONAL)
        if isinstance(made, QgsProcessingParameterField):
            made.setParentLayerParameterName(self.layer)
        return made


#: Name, algorithm, parameters, {output: name in the toolbox}.
Step = tuple[str, str, dict[str, object], dict[str, str]]


@dataclass
class Chain:
    """One model: its id, what it says of itself, what it asks for, and its steps; all in the order of the work."""

    id: str
    title: str
    about: str
    inputs: list[Input]
    steps: list[Step]


def number_step(name: str) -> str:
    """The id of a step's child."""
    return f"{ORDER[name]}_{name}"


def use_made(name: str, output: str = "OUTPUT") -> QgsProcessingModelChildParameterSource:
    """What an earlier step has made, as the input of another."""
    return Source.fromChildOutput(number_step(name), output)


def list_grid_inputs() -> list[Input]:
    """What both chains ask for of the grids and the forecast."""
    return [
        Input("categories", "rasterizehotspots", "CATEGORIES"),
        Input("study_area", "rasterizehotspots", "STUDY_AREA"),
        Input("cell_size", "rasterizehotspots", "CELL_SIZE", "Cell size of the hotspot grids [m]"),
        Input("time_bin", "rasterizehotspots", "BIN_UNIT"),
        Input("kind", "trainforecastmodel", "MODEL_KIND"),
        Input("steps", "forecastrisk", "STEPS"),
    ]


def list_forecast_steps(counts: str, model: str, risk: dict[str, str], classes: dict[str, str]) -> list[Step]:
    """From counts to classes of risk.

    Parameters
    ----------
    counts : str
        The step that counts: grids or a panel.
    model : str
        What the trained one is called.
    risk, classes : dict of str to str
        What *Forecast risk* and *Classify percentile risk* make, and what it is called; the first risk is classified.
    """
    counted = use_made(counts)
    return [
        (
            "train",
            "trainforecastmodel",
            {"INPUT": counted, "MODEL_KIND": ASKED("kind")},
            {"MODEL": model, "REPORT": "Report"},
        ),
        (
            "forecast",
            "forecastrisk",
            {"INPUT": counted, "MODEL": use_made("train", "MODEL"), "STEPS": ASKED("steps")},
            risk,
        ),
        ("classes", "classifyrisk", {"INPUT": use_made("forecast", next(iter(risk)))}, classes),
    ]


def choose_grids(**sources: object) -> dict[str, object]:
    """The parameters of the grids; `sources` are the incidents and their fields."""
    asked = {"CATEGORIES": "categories", "STUDY_AREA": "study_area", "CELL_SIZE": "cell_size", "BIN_UNIT": "time_bin"}
    return {**sources, **{key: ASKED(name) for key, name in asked.items()}}


def make_main_chain() -> Chain:
    """Everything from a file on."""
    columns = {
        "x_column": "X_FIELD",
        "y_column": "Y_FIELD",
        "time_column": "TIME_FIELD",
        "category_column": "CATEGORY_FIELD",
        "id_column": "ID_FIELD",
        "date_order": "DATE_ORDER",
        "crs": "CRS",
        "saved_format": "PROFILE_FILE",
    }
    points = {"INPUT": use_made("import"), "TIME_FIELD": FIXED("occurred"), "CATEGORY_FIELD": FIXED("category")}
    asked = {"csv": "INPUT", "format": "PROFILE", **columns}
    return Chain(
        "csv_to_risk_map",
        "From CSV to risk map",
        f"""
Reads a file of incidents as the police publish it, and makes everything from it: hotspot grids, crime scores, a
forecast model that was judged beside simple counts, the risk of the next map, and its classes. Only the file must be
given.

Read the report before the map: its first sentences say whether the forecast is any better than plain counts.

{KEPT}
""",
        [
            Input("csv", "importincidents", "INPUT"),
            Input("format", "importincidents", "PROFILE"),
            *list_grid_inputs(),
            Input("spacing", "crimescorelayer", "SPACING", "Spacing of the crime scores [m]"),
            *(Input(name, "importincidents", parameter, advanced=True) for name, parameter in columns.items()),
        ],
        [
            (
                "import",
                "importincidents",
                {parameter: ASKED(name) for name, parameter in asked.items()},
                {"OUTPUT": "Incidents", "REFUSED": "Refused rows", "INSPECTION": "A look at the incidents"},
            ),
            ("grids", "rasterizehotspots", choose_grids(**points), {"OUTPUT": "Hotspot grids"}),
            (
                "index",
                "buildcrimeindex",
                {**points, "FILTER": Source.fromExpression(" ".join(OF_THE_CATEGORIES.split()))},
                {"OUTPUT": "Crime index"},
            ),
            (
                "scores",
                "crimescorelayer",
                {"INDEX": use_made("index"), "SPACING": ASKED("spacing"), "POLYGONS": ASKED("study_area")},
                {"OUTPUT": "Crime scores"},
            ),
            *list_forecast_steps("grids", "Trained model", *RASTERS),
        ],
    )


def make_forecast_chain() -> Chain:
    """From incidents to a forecast that was judged."""
    fields = {"time_field": "TIME_FIELD", "category_field": "CATEGORY_FIELD"}
    return Chain(
        "incidents_to_forecast",
        "From incidents to forecast",
        f"""
Counts incidents per cell and time bin, trains a forecast model on the grids and judges it beside simple counts on the
last maps, forecasts the next maps, and classifies their risk. It does not compare models: run Backtest forecasts first.

{KEPT}
""",
        [
            Input("incidents", "rasterizehotspots", "INPUT"),
            *(Input(name, "rasterizehotspots", key, layer="incidents") for name, key in fields.items()),
            *list_grid_inputs(),
        ],
        [
            (
                "grids",
                "rasterizehotspots",
                choose_grids(INPUT=ASKED("incidents"), **{key: ASKED(name) for name, key in fields.items()}),
                {"OUTPUT": "Hotspot grids"},
            ),
            *list_forecast_steps("grids", "Forecast model", *RASTERS),
        ],
    )


def make_area_chain() -> Chain:
    """From incidents and areas to a forecast of the areas that was judged."""
    inputs = {
        "incidents": "INPUT",
        "time_field": "TIME_FIELD",
        "category_field": "CATEGORY_FIELD",
        "categories": "CATEGORIES",
        "areas": "AREAS",
        "area_id": "AREA_ID",
        "area_name": "AREA_NAME",
        "area_column": "AREA_COLUMN",
        "time_bin": "BIN_UNIT",
        "delay": "DELAY",
    }
    layers = {"area_id": "areas", "area_name": "areas"}
    return Chain(
        "incidents_to_area_forecast",
        "From incidents to area forecast",
        f"""
Counts incidents per area (beats, wards, census areas, street segments) and time bin, trains a forecast model on the
counts and judges it beside simple counts on the last bins, forecasts the next bins, lists the top places, and
classifies the risk. It does not compare models: run Backtest forecasts on the counts first.

Read the report before the map: its first sentences say whether the forecast is any better than plain counts.

{KEPT}
""",
        [
            *(
                Input(name, "countareas", key, layer=layers.get(name, "incidents"), needed=name == "areas")
                for name, key in inputs.items()
            ),
            Input("kind", "trainforecastmodel", "MODEL_KIND"),
            Input("steps", "forecastrisk", "STEPS"),
        ],
        [
            (
                "panel",
                "countareas",
                {key: ASKED(name) for name, key in inputs.items()},
                {"OUTPUT": "Counts by area", "REFUSED": "Refused incidents"},
            ),
            *list_forecast_steps("panel", "Forecast model", *BY_AREA),
        ],
    )


def make_warning_chain() -> Chain:
    """From incidents to a model of warnings that was judged, and the warnings of the next windows."""
    read = {
        "incidents": "INPUT",
        "time_field": "TIME_FIELD",
        "category_field": "CATEGORY_FIELD",
        "areas": "AREAS",
        "area_id": "AREA_ID",
        "area_name": "AREA_NAME",
    }
    defined = {
        "targets": "TARGETS",
        "similar": "SIMILAR",
        "window": "WINDOW",
        "begin": "BEGIN",
        "delay": "DELAY",
        "budget_kind": "BUDGET_KIND",
        "budget": "BUDGET",
    }
    layers = {"area_id": "areas", "area_name": "areas"}
    reading = {key: ASKED(name) for name, key in read.items()}
    return Chain(
        "incidents_to_warnings",
        "From incidents to warnings",
        f"""
Trains a model that warns of events such as shootings before their window begins, judges it on the last windows, and
warns of the next ones, in areas or the whole city.

Read the report before the map: its first sentence says how many of a hundred warnings were right, and how many of a
hundred picked by calendar and place alone. Warnings are about places and times, never about persons, and are no ground
to stop anyone.

{KEPT}
""",
        [
            *(Input(name, "trainwarning", key, layer=layers.get(name, "incidents")) for name, key in read.items()),
            *(Input(name, "trainwarning", key) for name, key in defined.items()),
            Input("windows", "warn", "NEXT"),
        ],
        [
            (
                "train",
                "trainwarning",
                {**reading, **{key: ASKED(name) for name, key in defined.items()}},
                {"MODEL": "Warning model", "REPORT": "Report", "REFUSED": "Refused incidents"},
            ),
            (
                "warn",
                "warn",
                {**reading, "MODEL": use_made("train", "MODEL"), "NEXT": ASKED("windows")},
                {"WARNINGS": "Warnings", "NEXT_WINDOWS": "Next windows"},
            ),
        ],
    )


def make_outcome_chain() -> Chain:
    """From incidents and a table to a model of their outcome that was judged, and its map."""
    joined = {"incidents": "INPUT", "table": "TABLE", "table_file": "TABLE_FILE", "join": "JOINED"}
    trained = {
        "outcome_field": "OUTCOME_FIELD",
        "outcome_values": "OUTCOME_VALUES",
        "kind": "MODEL_KIND",
        "maturity": "MATURITY",
        "ladder": "LADDER",
    }
    mapped = {"rows": "ROWS", "areas": "AREAS", "area_id": "AREA_ID", "area_name": "AREA_NAME", "publish": "PUBLISH"}
    layers = {"area_id": "areas", "area_name": "areas"}
    made, outcome = use_made("join"), ("outcome_field", "outcome_values")
    return Chain(
        "incidents_to_outcomes",
        "From incidents to outcomes",
        f"""
Joins a table, such as the weather of each day or the census of each area, to incidents, trains a model of what becomes
of them, such as an arrest, judges it on the last days, and maps what it says of each incident and area. To join a
second table, run Join context before.

Read the report before the map: it says what a table of rates does on the same incidents, how much of the figures is
what police found themselves, and what each group of fields adds. The model has seen most incidents of the map; those of
the last days, which it had not when it was judged, are the layer of incidents tested.

{KEPT}
""",
        [
            *(Input(name, "joincontext", key) for name, key in joined.items()),
            *(Input(name, "trainoutcome", key, layer="incidents") for name, key in trained.items()),
            *(Input(name, "predictoutcome", key, layer=layers.get(name, "")) for name, key in mapped.items()),
        ],
        [
            (
                "join",
                "joincontext",
                {key: ASKED(name) for name, key in joined.items()},
                {"OUTPUT": "Incidents with context"},
            ),
            (
                "train",
                "trainoutcome",
                {"INPUT": made, **{key: ASKED(name) for name, key in trained.items()}},
                {"MODEL": "Outcome model", "REPORT": "Report", "TESTED": "Incidents tested"},
            ),
            (
                "predict",
                "predictoutcome",
                {
                    "INPUT": made,
                    "MODEL": use_made("train", "MODEL"),
                    **{trained[name]: ASKED(name) for name in outcome},
                    **{key: ASKED(name) for name, key in mapped.items()},
                },
                {"OUTPUT": "Outcomes", "BY_AREA": "Areas by outcome", "OUTLOOK": "Outlook"},
            ),
        ],
    )


def make_route_chain() -> Chain:
    """From a file of incidents and streets to ways that pass less of them."""
    asked = {
        "streets": "INPUT",
        "start": "START",
        "end": "END",
        "starts": "STARTS",
        "starts_field": "STARTS_FIELD",
        "ends": "ENDS",
        "ends_field": "ENDS_FIELD",
        "detour": "DETOUR",
        "avoid": "AVOID",
    }
    return Chain(
        "incidents_to_routes",
        "From incidents to routes",
        f"""
Reads a file of incidents as the police publish it, makes a density of its last 12 months, and finds the ways from A to
B that pass less reported crime: the shortest, the least exposed within the cap on detour, and those between. Give a
start and an end, or layers of them.

Read the report before you walk: it says what each way costs and saves, and that nobody counts walkers.

{KEPT}
""",
        [
            Input("csv", "importincidents", "INPUT"),
            Input("format", "importincidents", "PROFILE"),
            *(
                Input(name, "saferoutes", key, layer={"starts_field": "starts", "ends_field": "ends"}.get(name, ""))
                for name, key in asked.items()
            ),
        ],
        [
            (
                "import",
                "importincidents",
                {"INPUT": ASKED("csv"), "PROFILE": ASKED("format")},
                {"OUTPUT": "Incidents", "REFUSED": "Refused rows"},
            ),
            (
                "routes",
                "saferoutes",
                {
                    "INCIDENTS": use_made("import"),
                    "TIME_FIELD": FIXED("occurred"),
                    **{key: ASKED(name) for name, key in asked.items()},
                },
                {"OUTPUT": "Routes", "UNSERVED": "Pairs without a way", "REPORT": "Report"},
            ),
        ],
    )


def build(chain: Chain) -> QgsProcessingModelAlgorithm:
    """The model, laid out from top to bottom."""
    model = QgsProcessingModelAlgorithm(chain.title, "Models", "models")
    model.setHelpContent({"ALG_DESC": chain.about.strip(), "ALG_VERSION": "1"})
    for row, asked in enumerate(chain.inputs):
        parameter = QgsProcessingModelParameter(asked.name)
        parameter.setPosition(QPointF(150, 80 + 90 * row))
        model.addModelParameter(asked.make(), parameter)
    order = []
    before: list[QgsProcessingModelChildDependency] = []
    for row, (step, algorithm, parameters, outputs) in enumerate(chain.steps):
        name = number_step(step)
        child = QgsProcessingModelChildAlgorithm(f"crimerisk:{algorithm}")
        child.setChildId(name)
        child.setDescription(child.algorithm().displayName())
        child.setPosition(QPointF(450, 80 + 120 * row))
        # QGIS runs what depends on nothing else in any order: a step would be lost with one that it has no part in.
        child.setDependencies(before)
        before = [QgsProcessingModelChildDependency(name)]
        for key, source in parameters.items():
            child.addParameterSources(key, [source])
        final = {}
        for key, title in outputs.items():
            output = QgsProcessingModelOutput(title, title)
            output.setChildId(name)
            output.setChildOutputName(key)
            output.setMandatory(title in MANDATORY)
            output.setPosition(QPointF(750, 60 + 120 * row + 40 * len(final)))
            final[title] = output
            order.append(f"{name}:{key}")
        child.setModelOutputs(final)
        model.addChildAlgorithm(child)
    model.setParameterOrder([asked.name for asked in chain.inputs])
    model.setOutputOrder(order)
    model.updateDestinationParameters()
    return model


def sort_attributes(path: Path) -> None:
    """Sort the attributes of each element: Qt 5 writes them in any order, and a diff shall show what changed."""
    text = path.read_text(encoding="utf-8")

    def one(tag: re.Match[str]) -> str:
        return " ".join(["<Option", *sorted(re.findall(r'\w+="[^"]*"', tag[1]))])

    path.write_text(re.sub(r'<Option((?: \w+="[^"]*")+)', one, text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    application = QgsApplication([], False)
    application.initQgis()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "crime_risk").symlink_to(ROOT)
        sys.path.insert(0, folder)
        from crime_risk.algorithms.provider import CrimeRiskProvider

        provider = CrimeRiskProvider()
        QgsApplication.processingRegistry().addProvider(provider)
        makers = (
            make_main_chain,
            make_forecast_chain,
            make_area_chain,
            make_warning_chain,
            make_outcome_chain,
            make_route_chain,
        )
        for chain in (make() for make in makers):
            model = build(chain)
            wrong = [why for child in model.childAlgorithms() for why in model.validateChildAlgorithm(child)[1]]
            print("\n".join(wrong) or f"{chain.id} is valid")
            if wrong or not model.toFile(str(MODELS / f"{chain.id}.model3")):
                sys.exit(f"{chain.id} was not written")
            sort_attributes(MODELS / f"{chain.id}.model3")
            for definition in model.parameterDefinitions():
                print(" ", definition.name(), definition.type(), definition.description())
    application.exitQgis()
