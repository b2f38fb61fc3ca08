"""The Processing provider and its algorithms.

An algorithm declares its parameters, hands layers to the engine, and styles what comes back.
"""
