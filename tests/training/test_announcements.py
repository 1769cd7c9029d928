from mclas_lightning.training.announcements import announce_end


def test_the_end_of_a_training_is_one_line(capsys):
    ended = {"updates": 1234, "seconds": 56.7, "best_val_loss": 2.3456, "stopped_early": True}
    announce_end(ended)
    said = "  1,234 updates in 57 s (stopped early), best validation loss 2.346\n"
    assert capsys.readouterr().out == said
