package texts

// What a Spanish text message calls "clave" is a code: "código" is not in the GSM alphabet.
var spanishRecovery = recovery{
	link: wording{
		title:   "Recupere su acceso",
		subject: "{service}: recupere su acceso",
		short:   "{service}: clave de un solo uso para recuperar el acceso: {code}\n[Vale hasta el {time}. ]No la diga a nadie.",
		spoken: "Le llama {service}. Su clave de un solo uso para recuperar el acceso es: {letters}. Repito: {letters}. " +
			"No la diga a nadie, tampoco a nosotros.",
		paragraphs: spanishSteps(
			"Usted, o alguien en su nombre, ha pedido recuperar el acceso a {name}.",
			"obtener un nuevo PIN o una nueva contraseña",
			"Si no lo ha pedido usted, no siga adelante y avísenos por una vía que ya conozca.",
		),
	},
	activate: wording{
		title:   "Active su acceso",
		subject: "{service}: active su acceso",
		short:   "{service}: clave de un solo uso para activar el acceso: {code}\n[Vale hasta el {time}. ]No la diga a nadie.",
		spoken: "Le llama {service}. Su clave de un solo uso para activar el acceso es: {letters}. Repito: {letters}. " +
			"No la diga a nadie, tampoco a nosotros.",
		paragraphs: spanishSteps(
			"Ya puede activar su acceso a {name}.",
			"elegir su primer PIN o su primera contraseña",
			"Si no ha solicitado el acceso, no siga adelante y avísenos por una vía que ya conozca.",
		),
	},
	unlock: wording{
		title:   "Desbloquee su acceso",
		subject: "{service}: desbloquee su acceso",
		short:   "{service}: clave de un solo uso para desbloquear el acceso: {code}\n[Vale hasta el {time}. ]No la diga a nadie.",
		spoken: "Le llama {service}. Su clave de un solo uso para desbloquear el acceso es: {letters}. Repito: {letters}. " +
			"No la diga a nadie, tampoco a nosotros.",
		paragraphs: spanishSteps(
			"Usted, o alguien en su nombre, ha pedido desbloquear el acceso a {name}.",
			"desbloquearlo sin cambiar el PIN ni la contraseña",
			"Si no lo ha pedido usted, no siga adelante y avísenos por una vía que ya conozca.",
		),
	},
	prove: wording{
		title:   "Confirme este contacto",
		subject: "{service}: confirme este contacto",
		short:   "{service}: clave de un solo uso para confirmar este contacto: {code}\n[Vale hasta el {time}. ]No la diga a nadie.",
		spoken: "Le llama {service}. Su clave de un solo uso para confirmar este contacto es: {letters}. Repito: {letters}. " +
			"No la diga a nadie, tampoco a nosotros.",
		paragraphs: spanishSteps(
			"Este contacto se ha facilitado a {name} para que le enviemos mensajes.",
			"confirmar que es suyo",
			"Si no lo ha facilitado usted, no tiene que hacer nada: sin su confirmación no se usará.",
		),
	},
	code: wording{
		title:   "Su clave para recuperar el acceso",
		subject: "{service}: su clave para recuperar el acceso",
		short:   "{service}: clave de un solo uso para recuperar el acceso: {code}\n[Vale hasta el {time}. ]No la diga a nadie.",
		spoken: "Le llama {service}. Su clave de un solo uso para recuperar el acceso es: {letters}. Repito: {letters}. " +
			"No la diga a nadie, tampoco a nosotros.",
		paragraphs: []string{
			"Esta es su clave de un solo uso para recuperar el acceso a {name}:",
			codeLine,
			"Vale una sola vez[, hasta el {longtime}]. Escríbala únicamente en la página en la que ha pedido recuperar el acceso.",
			"No la diga a nadie. Nunca se la pediremos: ni por teléfono, ni por mensaje, ni por correo electrónico.",
			"Si no lo ha pedido usted, no la use y avísenos por una vía que ya conozca.",
		},
	},
	waiting: wording{
		title:   "Recuperación de su acceso",
		subject: "{service}: recuperación de su acceso",
		short: "{service}: se ha pedido recuperar su acceso[ (efectivo el {time})]. " +
			"Si no ha sido usted, avise al teléfono que ya conoce.",
		spoken: "Le llama {service}. Se ha pedido recuperar su acceso[; si no se cancela, se hará efectivo el {longtime}]. " +
			"Si no ha sido usted, avise cuanto antes al teléfono que ya conoce. " +
			"Nunca le pediremos su PIN ni su contraseña.",
		paragraphs: spanishNotice(
			"Alguien ha iniciado la recuperación de su acceso a {name}.[ Si no se cancela, se hará efectiva el {longtime}.]",
			"cancele la recuperación",
		),
	},
	done: wording{
		title:   "Su acceso se ha recuperado",
		subject: "{service}: su acceso se ha recuperado",
		short:   "{service}: se ha recuperado su acceso. Si no ha sido usted, avise al teléfono que ya conoce.",
		spoken: "Le llama {service}. Se ha recuperado su acceso. " +
			"Si no ha sido usted, avise cuanto antes al teléfono que ya conoce. " +
			"Nunca le pediremos su PIN ni su contraseña.",
		paragraphs: spanishNotice(
			"Se ha recuperado su acceso a {name}: "+
				"se ha elegido un nuevo PIN o una nueva contraseña, o le llegará en breve.",
			"comuníquenoslo",
		),
	},
	unlocked: wording{
		title:   "Su acceso se ha desbloqueado",
		subject: "{service}: su acceso se ha desbloqueado",
		short:   "{service}: se ha desbloqueado su acceso. Si no ha sido usted, avise al teléfono que ya conoce.",
		spoken: "Le llama {service}. Se ha desbloqueado su acceso. " +
			"Si no ha sido usted, avise cuanto antes al teléfono que ya conoce. " +
			"Nunca le pediremos su PIN ni su contraseña.",
		paragraphs: spanishNotice(
			"Se ha desbloqueado su acceso a {name}. Su PIN o su contraseña no han cambiado.",
			"comuníquenoslo",
		),
	},
	contact: wording{
		title:   "Cambios en sus contactos",
		subject: "{service}: cambios en sus contactos",
		short:   "{service}: {change}. Si no ha sido usted, avise al teléfono que ya conoce.",
		spoken: "Le llama {service}. Le informamos de que {change}. " +
			"Si no ha sido usted, avise cuanto antes al teléfono que ya conoce. " +
			"Nunca le pediremos su PIN ni su contraseña.",
		paragraphs: spanishNotice(
			"Le informamos de que {change} en {name}.",
			"anule el cambio",
		),
	},
	changes: changes{
		added:    "se ha añadido un nuevo contacto suyo",
		changed:  "se ha modificado un contacto suyo",
		removed:  "se ha eliminado un contacto suyo",
		primary:  "se ha cambiado su contacto principal",
		settling: "la disputa sobre sus contactos va a terminar como se ha pedido",
		some:     "se han modificado sus contactos",
	},
}

// spanishSteps are the paragraphs of a kind that leads on by a link, a code, or either.
func spanishSteps(about, to, otherwise string) []string {
	return []string{
		about,
		"[" + ifLink + "Para " + to + ", abra esta página:]",
		linkLine,
		"[" + ifBoth + "O bien abra la página por su cuenta y escriba en ella esta clave de un solo uso:]",
		"[" + ifCode + "Para " + to + ", escriba esta clave de un solo uso en nuestra página:]",
		codeLine,
		"Vale una sola vez[, hasta el {longtime}][" + ifBoth + "; una vez usado el enlace, la clave deja de valer, y viceversa].",
		"[" + ifLink + "La dirección de la página empieza por {origin} y por nada más. En caso de duda, no siga " +
			"el enlace: abra la página por su cuenta][" + ifBoth + " y escriba la clave][" + ifLink + ".]",
		"No reenvíe ni enseñe este mensaje. Nunca le pediremos su PIN, su contraseña ni una clave por teléfono, por mensaje " +
			"o por correo electrónico.",
		otherwise,
	}
}

// spanishNotice are the paragraphs of a notice whose link says "it was not me".
func spanishNotice(about, to string) []string {
	return []string{
		about,
		"Si ha sido usted, no tiene que hacer nada.[" + ifNone + " Si no, llame cuanto antes al teléfono que ya conoce; " +
			"este mensaje no lleva enlaces ni pide nada.][" + ifLink + " Si no, " + to + " en esta página:]",
		linkLine,
		"[" + ifLink + "El enlace vale hasta el {linktime}.]",
		"[" + ifLink + "La dirección de la página empieza por {origin} y por nada más. En caso de duda, no siga " +
			"el enlace y llame al teléfono que ya conoce. Nunca le pediremos su PIN ni su contraseña por correo electrónico.]",
	}
}
