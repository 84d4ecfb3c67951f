// The rules for names, as far as a browser can check them: shared/name.go.

import {blank, length} from './codec.js';

const spaces = s => s.replace(/\p{Zs}+/gu, ' ').replace(/^ | $/g, '');

const check = (what, limit) => s => {
	// What the profile refuses inside emoji; joiners between letters stay.
	s = s.replace(/\ufe0f/g, '').replace(/([\p{So}\p{Sk}\p{Sm}])\u200d/gu, '$1').replace(/\u200d(?=[\p{So}\p{Sk}\p{Sm}])/gu, '');
	const text = spaces(spaces(s).normalize('NFKC'));
	const wrong = blank(s) ? 'is empty.'
		: /[\p{Cc}\p{Cn}\p{Co}\p{Cs}]|(?![\u200c\u200d])\p{Default_Ignorable_Code_Point}/u.test(text)
			? "has a character that names can't have, such as a line break or an invisible one."
		: length(text) > limit ? `is over ${limit} characters.`
		: /[/\\]/.test(text) ? "can't have a slash (/ or \\)."
		: /^\.\.?$/.test(text) && "can't be only dots.";
	return wrong ? {error: `The ${what} ${wrong}`} : {text};
};

/** Check a name: {text} as it is shown, or {error} as a sentence. */
export const roomName = check("room's name", 64);
export const personName = check('name', 32);

/** What rooms are told apart by: nearly the server's own key. */
export const roomKey = room => (roomName(room).text || room).toLowerCase();
