/** The folder of the model that ships with Tern; its files are also `@terndb/model-mini/model/*`. Nothing is read by importing this. */
export const MODEL_FOLDER: URL = new URL('../model/', import.meta.url);
/** Of the model's vectors. */
export const MODEL_DIM = 256;
