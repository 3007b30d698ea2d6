# What a person sees when a request was not answered as asked.

fault-start = Go to the start
fault-mention = If you ask for help, please mention this number:

fault-not-found-title = This page does not exist
fault-not-found-advice = The address may be mistyped, or what was here has been taken down.
fault-forged-title = This form is no longer valid
fault-forged-advice = Nothing was changed. Please go back, load the page again and send the form once more. Your browser must accept cookies from this site.
fault-unavailable-title = We cannot answer just now
fault-unavailable-advice = Please try again in a minute. A form that you send again is never booked twice.
fault-broken-title = Something went wrong on our side
fault-broken-advice = We have been told about it. Please try again in a minute.
fault-too-large-title = That is too large
fault-too-large-advice = Please shorten what you typed and try again.
fault-gone-title = This is no longer possible
fault-gone-advice = The time has been taken in the meantime. Please choose another one.
fault-refused-title = This is no longer possible
fault-refused-advice = It is too late to cancel this booking here. Please speak to the business.
fault-malformed-title = We could not understand that request
fault-malformed-advice = Please go back and try again. If it happens twice, start from the first page.
fault-forbidden-title = This is not for you to change
fault-forbidden-advice = Your role at this business does not include it. Please ask an owner.
fault-too-many-title = That was asked for too often
fault-too-many-advice = Please wait a while and try again. Nothing was changed.
