"""Activities: one remote call each."""
