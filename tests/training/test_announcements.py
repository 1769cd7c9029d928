from mclas_lightning.training.announcements import announce_end


def test_the_end_of_a_training_is_one_line(capsys):
    ended = {"updates": 1234, "seconds": 56.7, "best_val_loss": 2.3456, "monitor": "val/loss_cross"}
    said = "  1,234 updates in 57 s{}, best val/loss_cross 2.346\n"
    for stopped, cut_off, how in (
        (True, False, " (stopped early)"),
        (False, True, " (cut off: the last validation was the best)"),
        (False, False, ""),
    ):
        announce_end({**ended, "stopped_early": stopped, "cut_off": cut_off})
        assert capsys.readouterr().out == said.format(how)
