"""The Processing provider and its algorithms.

An algorithm follows from the declaration of its tool (see `riskengine.contract.tools`); what a declaration cannot say
stands in a module of the tool's id.
"""
