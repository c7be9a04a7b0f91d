"""Pure decisions: what App Mesh should hold, what stands in the way, which calls to make, what to report.

Nothing here knows of Temporal, clocks or networks. The workflow gathers, asks these functions, and does what they say.
"""
