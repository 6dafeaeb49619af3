/** onnxruntime's build for WebGPU. A file of its own, loaded where it is asked for; it imports nothing else, so that it shares no code. */
import * as ort from 'onnxruntime-web/webgpu';

export { ort };
