"""Pictures that prove an event. What draws is loaded only with a camera and a rule that asks for pictures."""
