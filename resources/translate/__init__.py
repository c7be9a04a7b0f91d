"""Translation: a model in, the `spec` of an App Mesh request out, as plain JSON data under App Mesh's member names.

Translation is total (every valid model gives a spec that App Mesh's service model accepts) and pure. Defaults are
filled in here, on the way out, and never in the user's object. Empty lists and structures are left out, as in the specs
that App Mesh echoes.
"""
