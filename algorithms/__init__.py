"""The Processing provider and its algorithms: they declare parameters, hand layers to the engine, style what comes back."""
