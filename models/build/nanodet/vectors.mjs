// What TensorFlow.js itself computes: node vectors.mjs MODEL.json INPUT.f32 SIDE OUTPUT_FOLDER
// Needs: npm install @tensorflow/tfjs@4.22.0
import * as tf from '@tensorflow/tfjs';
import fs from 'node:fs';
import path from 'node:path';

const [modelPath, inputPath, side, folder] = process.argv.slice(2);
const json = JSON.parse(fs.readFileSync(modelPath, 'utf8'));
const [group] = json.weightsManifest;
const content = fs.readFileSync(path.join(path.dirname(modelPath), group.paths[0]));
const weightData = content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength);
const artifacts = { modelTopology: json.modelTopology, weightSpecs: group.weights, weightData };

await tf.setBackend('cpu');
const model = await tf.loadGraphModel({ load: async () => artifacts });
const bytes = fs.readFileSync(inputPath);
const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const names = ['Identity', 'Identity_1', 'Identity_2', 'Identity_3', 'Identity_4', 'Identity_5'];
const outputs = await model.executeAsync({ input_1: tf.tensor(values, [1, 3, +side, +side]) }, names);
names.forEach((name, i) => fs.writeFileSync(path.join(folder, `${name}.f32`), Buffer.from(outputs[i].dataSync().buffer)));
