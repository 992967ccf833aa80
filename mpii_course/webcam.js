// Shows the camera with a button under it, and answers with the image as a data address.
(async () => {
  const stream = await navigator.mediaDevices.getUserMedia({video: true});
  const place = document.createElement("div");
  const preview = document.createElement("video");
  const button = document.createElement("button");
  button.textContent = "Take the picture";
  place.append(preview, document.createElement("br"), button);
  document.body.appendChild(place);
  preview.srcObject = stream;
  await preview.play();
  google.colab.output.setIframeHeight(document.documentElement.scrollHeight, true);
  await new Promise((pressed) => { button.onclick = pressed; });
  const canvas = document.createElement("canvas");
  canvas.width = preview.videoWidth;
  canvas.height = preview.videoHeight;
  canvas.getContext("2d").drawImage(preview, 0, 0);
  stream.getTracks().forEach((track) => track.stop());
  place.remove();
  return canvas.toDataURL("image/jpeg", 0.9);
})()
