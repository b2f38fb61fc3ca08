"""The science of Crime Risk, as a plain Python package.

Nothing here knows QGIS or Qt, and nothing is imported from the rest of the
repository.  The plugin talks to it through :mod:`riskengine.worker`; a server
without QGIS runs the same jobs with ``python -m riskengine run``.
"""

__version__ = "0.12.0"
