// Prepares pictures to be sent: turned as they say themselves, scaled, and encoded
// anew, so that nothing leaves that a camera wrote into them, as where they were taken.

const longest = 2560; // pixels of a side
const quality = .82;
const stays = 1e6; // bytes up to which a PNG stays one
const thumbnail = {side: 480, bytes: 32 << 10};
const most = 64e6; // pixels of what is decoded
const head = 1 << 20; // bytes in which a file tells its size

const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
const big = (bytes, i) => bytes[i] << 8 | bytes[i + 1], little = (bytes, i) => bytes[i + 1] << 8 | bytes[i];
const big32 = (bytes, i) => big(bytes, i) * 65536 + big(bytes, i + 2), little24 = (bytes, i) => bytes[i + 2] << 16 | little(bytes, i);

function jpeg(b) {
	for (let i = 2; i + 9 < b.length && b[i] === 0xff;) {
		const marker = b[i + 1];
		if (marker === 0xff) i++;
		else if (marker >= 0xc0 && marker < 0xd0 && ![0xc4, 0xc8, 0xcc].includes(marker)) return {type: 'image/jpeg', width: big(b, i + 7), height: big(b, i + 5)};
		else i += 2 + big(b, i + 2);
	}
	return {type: 'image/jpeg', width: 0, height: 0};
}

// Its first picture may be larger than it says itself.
function gif(b) {
	let i = 13 + (b[10] & 0x80 ? 3 << (b[10] & 7) + 1 : 0);
	while (b[i] === 0x21) { // an extension: blocks up to an empty one
		for (i += 2; b[i]; i += b[i] + 1);
		i++;
	}
	const side = (screen, at) => Math.max(screen, b[i] === 0x2c ? little(b, at) + little(b, at + 4) : 0);
	return {type: 'image/gif', width: side(little(b, 6), i + 1), height: side(little(b, 8), i + 3), moves: true};
}

function webp(b) {
	const kind = text(b, 12, 16), type = 'image/webp';
	if (kind === 'VP8X') return {type, width: little24(b, 24) + 1, height: little24(b, 27) + 1, moves: !!(b[20] & 2)};
	if (kind === 'VP8 ') return {type, width: little(b, 26) & 0x3fff, height: little(b, 28) & 0x3fff};
	return {type, width: (little(b, 21) & 0x3fff) + 1, height: (little24(b, 22) >> 6 & 0x3fff) + 1};
}

// AVIF and HEIC: the largest of the pictures that they are made of.
function heif(b) {
	const all = text4(b, 'ispe').map(i => ({width: big32(b, i + 8), height: big32(b, i + 12)}));
	const [{width, height} = {width: 0, height: 0}] = all.sort((a, c) => c.width * c.height - a.width * a.height);
	return {type: /^avi/.test(text(b, 8, 12)) ? 'image/avif' : 'image/heic', width, height, moves: text(b, 8, 12) === 'avis'};
}

// Where four letters are.
function text4(b, letters) {
	const [first, ...rest] = [...letters].map(c => c.charCodeAt(0)), found = [];
	for (let i = 0; (i = b.indexOf(first, i)) >= 0; i++) if (rest.every((c, n) => b[i + 1 + n] === c)) found.push(i);
	return found;
}

/**
 * What a file says of itself, if it begins as a picture does: {type, width, height,
 * moves}; 0 pixels if it does not say. A name says nothing.
 */
export async function look(blob) {
	const b = new Uint8Array(await blob.slice(0, head).arrayBuffer());
	if (b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff) return jpeg(b);
	if (text(b, 0, 8) === '\x89PNG\r\n\x1a\n') return {type: 'image/png', width: big32(b, 16), height: big32(b, 20), moves: text4(b, 'acTL')[0] < text4(b, 'IDAT')[0]};
	if (/^GIF8[79]a/.test(text(b, 0, 6))) return gif(b);
	if (text(b, 0, 4) === 'RIFF' && text(b, 8, 12) === 'WEBP') return webp(b);
	if (text(b, 4, 8) === 'ftyp' && /^(avi[fs]|hei[cx]|hev[cx]|mif1)/.test(text(b, 8, 12))) return heif(b);
}

/** Whether what says this of itself has few enough pixels to be decoded. */
export const fits = ({width, height}, limit = most) => width > 0 && height > 0 && width * height <= limit;

// Some browsers give out noise in the place of what was drawn, so that nobody is
// told apart by it.
function honest() {
	const context = canvas(8, 8).getContext('2d');
	context.fillStyle = '#a03c5e';
	context.fillRect(0, 0, 8, 8);
	const {data} = context.getImageData(4, 4, 1, 1);
	return [160, 60, 94, 255].every((c, i) => Math.abs(c - data[i]) < 8);
}

const canvas = (width, height) => Object.assign(document.createElement('canvas'), {width, height});

// Draws a picture so that no side is longer. A canvas of the final size, because
// iPhones have none of over 16.7 megapixels.
function scaled(picture, width, height, side) {
	const scale = Math.min(1, side / Math.max(width, height)), to = canvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
	const context = to.getContext('2d');
	context.imageSmoothingQuality = 'high';
	context.drawImage(picture, 0, 0, to.width, to.height);
	return to;
}

// What is transparent becomes white: a JPEG would have it black.
function paper(canvas) {
	const context = canvas.getContext('2d');
	context.globalCompositeOperation = 'destination-over';
	context.fillStyle = '#fff';
	context.fillRect(0, 0, canvas.width, canvas.height);
}

const encoded = (canvas, type, quality) => new Promise((done, failed) =>
	canvas.toBlob(blob => blob && blob.type === type ? done(blob) : failed(new Error(`no ${type}`)), type, quality));

// A thumbnail, by halves: what is scaled at once to much less gets jagged.
async function thumb(from) {
	let {side, bytes} = thumbnail;
	for (; Math.max(from.width, from.height) > 2 * side;) from = scaled(from, from.width, from.height, Math.max(from.width, from.height) / 2);
	for (;; side *= .75) {
		const small = scaled(from, from.width, from.height, side);
		paper(small);
		for (const quality of [.75, .6, .45]) {
			const blob = await encoded(small, 'image/jpeg', quality);
			if (blob.size <= bytes) return blob;
		}
	}
}

// Encodes what is drawn as a JPEG, or as a PNG if it was one and is small, or
// smaller so.
async function anew(drawn, type) {
	const png = type === 'image/png' && await encoded(drawn, type);
	if (png && png.size < stays) return png;
	paper(drawn);
	const jpeg = await encoded(drawn, 'image/jpeg', quality);
	return png && png.size <= jpeg.size ? png : jpeg;
}

const named = (name, blob) => `${name.replace(/\.[^.]*$/, '') || 'picture'}.${blob.type === 'image/png' ? 'png' : 'jpg'}`;

/**
 * Prepare a file of a name. original is it as it is: {blob, name, width, height}; 0 pixels for
 * what is no picture, or not decoded. A picture has besides thumb, and anew, as
 * original is; if it can't be encoded anew, only says why: 'moves', which a film does,
 * too, 'large' or 'broken'.
 */
export async function prepare(file, name) {
	const original = {blob: file, name, width: 0, height: 0}, said = await look(file);
	if (!said) return /^video\//.test(file.type) ? {original, only: 'moves'} : {original};
	if (!fits(said)) return {original, only: said.width ? 'large' : 'broken'};
	const picture = new Image();
	picture.src = URL.createObjectURL(file.slice(0, file.size, said.type));
	try {
		await picture.decode(); // an <img> is turned as it says in every browser, other than an ImageBitmap
		const {naturalWidth: width, naturalHeight: height} = picture;
		if (!honest() || !fits({width, height})) throw new Error('no canvas');
		const drawn = scaled(picture, width, height, longest);
		Object.assign(original, {width, height});
		if (said.moves) return {original, thumb: await thumb(drawn), only: 'moves'};
		const small = await thumb(drawn), blob = await anew(drawn, said.type);
		return {original, thumb: small, anew: {blob, name: named(name, blob), width: drawn.width, height: drawn.height}};
	} catch {
		return {original: {...original, width: 0, height: 0}, only: 'broken'};
	} finally {
		URL.revokeObjectURL(picture.src);
	}
}
