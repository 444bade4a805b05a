"""Scenarios: TOML files that drive all simulators and the agent together, and say what must come of it.

The same file serves the demo, the tests and a soak; docs/scenarios.md tells how one is written.
"""

from lamppost.simulators.scenarios.load import ScenarioError, find, load, shipped
from lamppost.simulators.scenarios.model import Scenario
from lamppost.simulators.scenarios.runner import Note, Run, View, run_scenario
from lamppost.simulators.scenarios.step import ACTIONS, Action, action
from lamppost.simulators.scenarios.verdict import Check, Row, Verdict

__all__ = [
    "ACTIONS",
    "Action",
    "Check",
    "Note",
    "Row",
    "Run",
    "Scenario",
    "ScenarioError",
    "Verdict",
    "View",
    "action",
    "find",
    "load",
    "run_scenario",
    "shipped",
]
