def test_metrics_tell_of_the_runs_to_whoever_may_view(viewer):
    answer = viewer.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "feedback_nlp_last_run_success 1.0" in answer.text


def test_nobody_else_sees_them(anybody):
    assert anybody.get("/metrics").status_code in (303, 401)
