"""The fault matrix: end-to-end cases in which parts die, hang, lie or lose answers, and everything still converges."""
