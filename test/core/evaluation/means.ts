/**
 * A network that is easy to check: it takes images of any size, and its features are each channel's mean and largest
 * value.
 */
import type { Extractor } from '../../../src/core/metrics/extractor.js';

export function means(image: Extractor['image'] = {}): Extractor {
  return {
    name: 'means',
    label: 'means and maxima',
    digest: '00',
    width: 6,
    image,
    extract(images, [n, height, width, channels]) {
      const features = new Float32Array(n * 6);
      const length = height * width * channels;
      for (let at = 0; at < images.length; at++) {
        for (let to = channels === 3 ? at % 3 : 0; to < 3; to += channels) {
          const feature = Math.floor(at / length) * 6 + to;
          features[feature] += images[at] / (height * width);
          features[feature + 3] = Math.max(features[feature + 3], images[at]);
        }
      }
      return { features, logits: features.map((value) => value / 50) };
    },
    close() {},
  };
}
