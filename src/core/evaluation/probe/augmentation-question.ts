/** Training on random parts of images, as it is asked for. Types only. */
import type { Crop } from '../../data/loading/crop.js';
import type { ModelSource } from '../../trained/model.js';

export interface AugmentationQuestion extends ModelSource {
  crop: Crop;
  /** Default: as the checkpoint was trained. */
  flip?: boolean;
  /** Where the images are now; like the model, by default where they were. */
  data?: string;
}
