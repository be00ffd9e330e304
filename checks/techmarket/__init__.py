"""What decides in the TechMarket lab: one module per exercise, named like its folder under exercises/."""
