// NumPy's default_rng, as far as it is used here: the same numbers from the same seeds.
// SeedSequence and PCG64: M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
// Random Number Generation", 2014. Normal numbers: G. Marsaglia and W. W. Tsang, "The Ziggurat Method", 2000.

const MASK64 = (1n << 64n) - 1n, MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const LAYERS = 256, R = 3.6541528853610088, INVERSE = 0.27366123732975828, AREA = 0.004928673233974658;

function words(number) {
  const found = [];
  for (let rest = BigInt(number); found.length === 0 || rest > 0n; rest >>= 32n) found.push(Number(rest & 0xffffffffn));
  return found;
}

// 64-bit numbers, `count` of them, from a list of whole numbers
function seedSequence(seeds, count) {
  const entropy = seeds.flatMap(words), pool = new Uint32Array(4);
  let factor = 0x43b0d7e5;
  const hashed = (value) => {
    value = (value ^ factor) >>> 0;
    factor = Math.imul(factor, 0x931e8875) >>> 0;
    value = Math.imul(value, factor) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mixed = (x, y) => {
    const sum = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (sum ^ (sum >>> 16)) >>> 0;
  };
  for (let i = 0; i < 4; i++) pool[i] = hashed(i < entropy.length ? entropy[i] : 0);
  for (let from = 0; from < 4; from++)
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mixed(pool[to], hashed(pool[from]));
  for (let from = 4; from < entropy.length; from++)
    for (let to = 0; to < 4; to++) pool[to] = mixed(pool[to], hashed(entropy[from]));
  factor = 0x8b51f9dd;
  const state = [];
  for (let i = 0; i < 2 * count; i++) {
    let value = (pool[i % 4] ^ factor) >>> 0;
    factor = Math.imul(factor, 0x58f38ded) >>> 0;
    value = Math.imul(value, factor) >>> 0;
    state.push(BigInt((value ^ (value >>> 16)) >>> 0));
  }
  return Array.from({ length: count }, (_, i) => state[2 * i] | (state[2 * i + 1] << 32n));
}

const ziggurat = (() => {
  const density = (x) => Math.exp(-0.5 * x * x), scale = 2 ** 52;
  const width = new Float64Array(LAYERS), limit = new Float64Array(LAYERS), height = new Float64Array(LAYERS);
  let x = R;
  width[0] = AREA / density(R) / scale;
  width[LAYERS - 1] = R / scale;
  limit[0] = Math.floor((R * density(R)) / AREA * scale);
  height[0] = 1;
  height[LAYERS - 1] = density(R);
  for (let i = LAYERS - 2; i > 0; i--) {
    const inner = Math.sqrt(-2 * Math.log(AREA / x + density(x)));
    limit[i + 1] = Math.floor((inner / x) * scale);
    width[i] = inner / scale;
    height[i] = density(inner);
    x = inner;
  }
  return { width, limit, height };
})();

export class Random {
  constructor(...seeds) {
    const [a, b, c, d] = seedSequence(seeds, 4);
    this.increment = ((((c << 64n) | d) << 1n) | 1n) & MASK128;
    this.state = 0n;
    this.step();
    this.state = (this.state + ((a << 64n) | b)) & MASK128;
    this.step();
  }

  step() {
    this.state = (this.state * MULTIPLIER + this.increment) & MASK128;
  }

  // a whole number below 2^64
  bits() {
    this.step();
    const value = ((this.state >> 64n) ^ this.state) & MASK64, turn = this.state >> 122n;
    return ((value >> turn) | (value << ((64n - turn) & 63n))) & MASK64;
  }

  // uniform in [0, 1)
  uniform() {
    return Number(this.bits() >> 11n) / 2 ** 53;
  }

  // an index, by probabilities
  choice(probabilities) {
    const sums = [];
    let sum = 0;
    for (const p of probabilities) sums.push((sum += p));
    const u = this.uniform();
    const found = sums.findIndex((value) => value / sum > u);
    return found < 0 ? sums.length - 1 : found;
  }

  // normal, of mean 0 and standard deviation 1
  normal() {
    for (;;) {
      const bits = this.bits(), layer = Number(bits & 0xffn), rest = Number((bits >> 9n) & 0xfffffffffffffn);
      const x = ((bits >> 8n) & 1n ? -1 : 1) * rest * ziggurat.width[layer];
      if (rest < ziggurat.limit[layer]) return x;
      if (layer === 0) {
        for (;;) {
          const over = -INVERSE * Math.log1p(-this.uniform()), y = -Math.log1p(-this.uniform());
          if (2 * y > over * over) return Math.floor(rest / 256) % 2 ? -(R + over) : R + over;
        }
      }
      const { height } = ziggurat;
      if ((height[layer - 1] - height[layer]) * this.uniform() + height[layer] < Math.exp(-0.5 * x * x)) return x;
    }
  }
}
