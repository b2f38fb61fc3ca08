"""What happens below the windows that open windows want to hear of, from whatever thread it comes."""

from __future__ import annotations

from qgis.PyQt.QtCore import QObject, pyqtSignal


class _News(QObject):
    #: A tool has made a file that others ask for, which is the last of its kind now; its path.
    file_made = pyqtSignal(str)
    #: The engine was installed, repaired or removed, or that was tried.
    engine_changed = pyqtSignal()


NEWS = _News()
