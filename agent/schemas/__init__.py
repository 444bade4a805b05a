"""JSON Schemas of what goes over the wire, and the AsyncAPI document that names the topics."""
