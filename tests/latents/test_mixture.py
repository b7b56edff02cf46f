"""The mixture's sampler, against the moments of the mixture it samples."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from creatures.latents.mixture import Mixture, load_mixture, save_mixture
from creatures.runtime.errors import UserError
from stages.gmm.fit import choose, component_count, fit_gmm, fit_pca, to_mixture
from stages.gmm.params import GmmParams


def params(**changes) -> GmmParams:
    return GmmParams(**({"components": 2, "covariance": "full", "regularisation": 1e-6, "pca_dims": 0} | changes))


@pytest.fixture()
def mixture() -> Mixture:
    """Two tight clusters far apart, of weights 0.9 and 0.1."""
    return Mixture(
        weights=np.array([0.9, 0.1]),
        means=np.array([[-10.0, 0.0], [10.0, 0.0]]),
        factors=np.stack([np.array([[1.0, 0.0], [0.5, 0.2]]), np.eye(2)]),
        centre=np.array([0.0, 0.0, 5.0]),
        back=np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    )


def test_each_sample_has_its_own_component_by_weight(mixture):
    x, component = mixture.sample(4000, np.random.default_rng(0))
    share = (x[:, 0] > 0).mean()
    assert share == pytest.approx(0.1, abs=0.02)  # 4 deviations of a binomial
    assert (x[:, 2] == 5).all()
    assert np.array_equal(component, x[:, 0] > 0)


def test_samples_have_the_components_mean_and_covariance(mixture):
    x = mixture.sample(20000, np.random.default_rng(0))[0].astype(np.float64)
    first = x[x[:, 0] < 0][:, :2]
    factor = mixture.factors[0]
    assert np.allclose(first.mean(0), mixture.means[0], atol=0.05)
    assert np.allclose(np.cov(first.T), factor @ factor.T, atol=0.05)


def test_truncation_shrinks_the_deviation_and_leaves_the_means(mixture):
    wide, narrow = (mixture.sample(5000, np.random.default_rng(0), t)[0] for t in (1.0, 0.5))
    for x in (wide, narrow):
        assert x[x[:, 0] < 0][:, 0].mean() == pytest.approx(-10, abs=0.1)
    assert narrow[narrow[:, 0] < 0][:, 0].std() == pytest.approx(wide[wide[:, 0] < 0][:, 0].std() / 2, rel=0.05)
    exact, _ = mixture.sample(10, np.random.default_rng(0), 0.0)
    assert set(exact[:, 0].tolist()) <= {-10.0, 10.0}


def test_project_leaves_what_could_have_been_drawn_and_no_more(mixture):
    drawn = mixture.sample(10, np.random.default_rng(0))[0]
    assert np.allclose(mixture.project(drawn), drawn, atol=1e-5)
    beside = drawn + np.array([0.0, 0.0, 3.0])
    assert np.allclose(mixture.project(beside), drawn, atol=1e-5)


def test_assign_finds_the_component_a_sample_came_from(mixture):
    x, component = mixture.sample(1000, np.random.default_rng(0))
    assert np.array_equal(mixture.assign(x), component)


def test_assign_is_scikit_learns_predict():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((600, 5)) @ rng.standard_normal((5, 8)) + rng.integers(0, 3, (600, 1)) * 4
    pca = fit_pca(data, 3)
    model = fit_gmm(pca.transform(data), 4, params(), 0)
    assert np.array_equal(to_mixture(model, pca, 8).assign(data), model.predict(pca.transform(data)))


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_fitted_mixtures_sample_what_they_were_fitted_to(covariance):
    """The way back from whitened components: samples have the data's mean and covariance."""
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((4, 6))
    data = rng.standard_normal((6000, 4)) @ basis + np.arange(6)
    pca = fit_pca(data, 4)
    model = fit_gmm(pca.transform(data), 1, params(covariance=covariance), 0)
    x = to_mixture(model, pca, 6).sample(20000, rng)[0].astype(np.float64)
    assert np.allclose(x.mean(0), data.mean(0), atol=0.15)
    assert np.allclose(np.cov(x.T), np.cov(data.T), atol=0.5)


def test_auto_finds_the_number_of_clusters():
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [20, 0], [0, 20], [20, 20], [40, 40]])
    points = np.concatenate([c + rng.standard_normal((200, 2)) for c in centres])
    count, tried = choose(points, np.arange(len(points)).astype(str), params(components="auto"), 0)
    assert count == 5
    assert tried[5] > tried[1]


def test_components_can_be_a_number_a_fraction_or_left_to_choose():
    rng = np.random.default_rng(0)
    points = np.concatenate([c + rng.standard_normal((50, 2)) for c in ([0, 0], [20, 0])])
    found = {c: component_count(points, np.arange(100).astype(str), params(components=c), 0) for c in (7, 0.25, 0.001)}
    assert found == {7: (7, {}), 0.25: (25, {}), 0.001: (1, {})}
    assert component_count(np.repeat(points, 5, 0), np.arange(500).astype(str), params(components=0.5), 0) == (
        100,
        {},
    )
    count, tried = component_count(points, np.arange(100).astype(str), params(components="auto"), 0)
    assert count == 2 == max(tried, key=lambda k: tried[k])


def test_pca_is_scikit_learns():
    data = np.random.default_rng(0).standard_normal((50, 5))
    assert np.allclose(fit_pca(data, 3).transform(data), PCA(3, whiten=True, svd_solver="full").fit_transform(data))


def test_more_components_than_pictures_is_one_clear_line():
    with pytest.raises(UserError, match="10 components do not fit 4 pictures"):
        fit_gmm(np.zeros((4, 2)), 10, params(), 0)


def test_file_round_trip_is_byte_stable_and_needs_no_pickle(mixture, tmp_path):
    save_mixture(tmp_path / "a.npz", mixture)
    save_mixture(tmp_path / "b.npz", mixture)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = load_mixture(tmp_path / "a.npz")
    rng = np.random.default_rng
    assert np.array_equal(read.sample(9, rng(1))[0], mixture.sample(9, rng(1))[0])
    (tmp_path / "c.npz").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"c\.npz is damaged, .*; run dvc checkout or dvc repro"):
        load_mixture(tmp_path / "c.npz")
