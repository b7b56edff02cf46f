// Where new creatures come from: the z of picture `number` of a seed, as `python -m app generate` draws it.

import { Random } from "./numpy_random.js";

const NEAR = 0.5; // standard deviations: how far variations go from their start

export class Latents {
  // about: about.json's `latent`; arrays: its numbers, float64, by name
  constructor(about, arrays) {
    this.about = about;
    this.arrays = arrays;
  }

  draw(seed, number, truncation) {
    const random = new Random(seed, number), { kind, length, zDim } = this.about;
    if (kind === "gmm") {
      const component = random.choice(this.arrays.weights);
      const noise = this.noise(random, this.arrays.means.length / this.arrays.weights.length, truncation);
      return this.embedding(component, noise);
    }
    const z = new Float32Array(length);
    for (let i = 0; i < zDim; i++) z[i] = random.normal() * truncation;
    if (this.arrays.classes) z[zDim + random.choice(this.arrays.classes)] = 1;
    return z;
  }

  // near a given z: noise of the component that it is nearest to, or of all
  near(z, seed, number, truncation) {
    const random = new Random(seed, number);
    if (this.about.kind !== "gmm") {
      return z.map((value, i) => (i < this.about.zDim ? value + NEAR * truncation * random.normal() : value));
    }
    const dims = this.arrays.means.length / this.arrays.weights.length;
    const component = this.nearest(z, dims), noise = this.noise(random, dims, truncation);
    const drawn = this.embedding(component, noise), mean = this.embedding(component, new Float64Array(dims));
    return z.map((value, i) => value + NEAR * (drawn[i] - mean[i]));
  }

  // a closed path of `count` z near a given one, where it begins
  loop(z, seed, count) {
    const side = this.near(z, seed, 1, 1), far = this.near(z, seed, 2, 1);
    return Array.from({ length: count }, (_, frame) => {
      const angle = (2 * Math.PI * frame) / count, along = Math.sin(angle), away = (1 - Math.cos(angle)) / 2;
      return z.map((value, i) => value + along * (side[i] - value) + away * (far[i] - value));
    });
  }

  // a z moved along the first principal components, by standard deviations
  steered(z, amounts) {
    const { back } = this.arrays;
    return z.map((value, e) => amounts.reduce((sum, amount, k) => sum + amount * back[k * z.length + e], value));
  }

  noise(random, length, truncation) {
    return Float64Array.from({ length }, () => random.normal() * truncation);
  }

  embedding(component, noise) {
    const { means, factors, centre, back } = this.arrays, dims = noise.length;
    const point = Float64Array.from(noise, (_, i) => {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += factors[(component * dims + i) * dims + j] * noise[j];
      return means[component * dims + i] + sum;
    });
    return Float32Array.from(centre, (value, e) => {
      let sum = 0;
      for (let i = 0; i < dims; i++) sum += point[i] * back[i * centre.length + e];
      return value + sum;
    });
  }

  nearest(z, dims) {
    let best = 0, least = Infinity;
    for (let k = 0; k < this.arrays.weights.length; k++) {
      const mean = this.embedding(k, new Float64Array(dims));
      const apart = mean.reduce((sum, value, i) => sum + (value - z[i]) ** 2, 0);
      if (apart < least) [best, least] = [k, apart];
    }
    return best;
  }
}

export function between(first, second, share) {
  return first.map((value, i) => (1 - share) * value + share * second[i]);
}
