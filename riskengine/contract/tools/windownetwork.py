"""The tool Train early-warning network, of the group Early warning: the published networks, which detect."""

from __future__ import annotations

from typing import Annotated

from ..choices import WindowNetwork, WindowSplit
from ..texts import tr
from .base import Limits, Output, Shown
from .kinds import Choice, FileDestination
from .shared import CSV, HTML, REFUSED_COUNT, SEED, WARNINGS, WINDOW_NETWORK
from .windowmaps import SIDE, DrawsPictures

NETWORKS = Choice(
    {
        "model1": tr("Model 1 (published: about 60 % told right)"),
        "model2": tr("Model 2 (published: 78.4 % told right)"),
    }
)
SPLITS = Choice({"random": tr("At random (published)"), "forward": tr("Forward in time")})
#: More epochs than this are a mistake.
EPOCHS = Limits(1, 1000)


class TrainWindowNetwork(DrawsPictures):
    ID = "trainwindownetwork"
    JOB = "train_window_network"
    TITLE = tr("Train early-warning network")
    GROUP = WARNINGS
    TAGS = (
        "early warning,window,picture,network,deep learning,cnn,torch,train,shooting,homicide,published,reproduction,"
        "leak,ladder"
    )
    SUMMARY = tr("Trains a published network on window maps, and shows that it detects and does not warn.")
    HELP = tr("""
A published system drew all crime of two hours as a picture, as Draw window maps does, and trained a network to say
whether there was a homicide or shooting in the window. Its author hoped for a warning. But the pictures already show
the points of the very homicide or shooting that is asked about: the network detects, and does not warn.

The network learns from as many windows with a target as without, and is tested on others. The ladder asks the same of
looks and networks that see less: of the targets' points, of dots in their colour, of a network without these points, of
hour and weekday alone, and of a network that sees the window before, which is all that is known when a window begins.
Each is done twice: with windows shared out at random, as published, and with the last ones tested.

Pictures of 64 × 64 pixels train in minutes on two cores, those of the published 150 × 150 in an hour or more. The
network is kept for Draw window maps, which writes what it says of each picture. To warn before a window begins, use
Train warning model and Warn.
""")
    PROGRESS = (10.0, 98.0)
    OUTPUTS = (
        Output("ACCURACY", "accuracy", tr("Share of the test windows told right, half of which have a target")),
        Output("ACCURACY_LOW", "accuracy_low", tr("Lower bound of its 95 % interval")),
        Output("ACCURACY_HIGH", "accuracy_high", tr("Upper bound of its 95 % interval")),
        Output("WITHOUT_ACCURACY", "rungs.without.accuracy", tr("The same without the targets' points")),
        Output("CLOCK_ACCURACY", "rungs.clock.accuracy", tr("The same by hour and weekday alone")),
        Output("PREVIOUS_ACCURACY", "rungs.previous.accuracy", tr("The same from the window before")),
        Output("VERDICT", "verdict", tr("Verdict"), "text"),
        Output("WINDOWS", "windows", tr("Windows with any incident")),
        Output("WITH_TARGET", "with_target", tr("Windows with a target")),
        Output("TESTED", "tested", tr("Windows tested")),
        Output("PARAMETERS", "network_parameters", tr("Parameters of the network")),
        Output("SECONDS", "seconds", tr("Seconds of training")),
        REFUSED_COUNT,
    )

    width: Annotated[
        int,
        SIDE,
        Shown(
            tr("Width"),
            tr("Of the pictures: published are 172 for model 1, whose least is 30, and 150 for model 2, least 46."),
            unit="pixels",
            usual="64",
        ),
    ] = 64
    height: Annotated[
        int,
        SIDE,
        Shown(
            tr("Height"),
            tr("Of the pictures: published are 216 for model 1 and 150 for model 2; the least are those of the width."),
            unit="pixels",
            usual="64",
        ),
    ] = 64
    network: Annotated[WindowNetwork, NETWORKS, Shown(tr("Network"))] = "model2"
    epochs: Annotated[
        int | None,
        EPOCHS,
        Shown(
            tr("Epochs"),
            tr(
                "Left empty, as published: 20 for model 1; 60 for model 2, of which the first sixth is on the pictures "
                "as they are and the rest on pictures that are turned, moved, sheared, zoomed and mirrored."
            ),
        ),
    ] = None
    split: Annotated[
        WindowSplit,
        SPLITS,
        Shown(
            tr("Windows are shared out"),
            tr("79, 9 and 12 per cent of them are learned from, validate and are tested."),
        ),
    ] = "random"
    ladder: Annotated[
        bool,
        Shown(
            tr("Ladder"),
            tr(
                "What looks and networks that see less tell of the same windows, at random and forward in time. Trains "
                "up to eight networks more, each as long as the first."
            ),
        ),
    ] = True
    ladder_epochs: Annotated[
        int | None,
        EPOCHS,
        Shown(
            tr("Epochs of the ladder"),
            tr("Of each of its networks, so that they can be compared. Left empty, as many as the network's own."),
            advanced=True,
        ),
    ] = None
    seed: Annotated[int, SEED, Shown(tr("Seed"), advanced=True)] = 0
    model_output: Annotated[
        str,
        FileDestination(filter=WINDOW_NETWORK, read_on=True),
        Shown(tr("Network for window maps"), name="MODEL"),
    ]
    report: Annotated[
        str | None,
        FileDestination(filter=HTML),
        Shown(tr("Report"), tr("One HTML file: the ladder, loss curves, and windows told right and wrong.")),
    ] = None
    csv: Annotated[str | None, FileDestination(filter=CSV), Shown(tr("Table of all figures"), name="TABLE")] = None
