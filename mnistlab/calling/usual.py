"""Short names that people say and no option ends with."""

USUAL = {"epochs": "trainer.max_epochs", "seed": "seed_everything", "lr_scheduler": "model.scheduler"}
"""The option that each means."""
