"""How a simulated camera begins."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lamppost.simulators.street.names import LIGHTS, VIEWS

View = Literal["kerb", "stop"]
Light = Literal["day", "dusk"]


class CameraSettings(BaseModel):
    """A camera that looks at the simulated street."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    view: View = Field("kerb", description=f"From where it looks: {', '.join(VIEWS)}.")
    light: Light = Field("day", description=f"In what light: {', '.join(LIGHTS)}.")
    fps: float = Field(10.0, gt=0, le=60, description="Pictures per second.")
    traffic_per_minute: float = Field(
        0.0, ge=0, le=120, description="Vehicles that come in a minute, both directions together."
    )
    rain: bool = Field(default=False, description="It rains.")
    water_mm: float = Field(0.0, ge=0, le=300, description="Water above the lowest gutter.")
    seed: int = Field(1, description="Other vehicles for another number.")
    username: str | None = Field(None, description="Who may look, with the password; everybody without.")
    password: str | None = Field(None, description="The password, for basic authentication.")
