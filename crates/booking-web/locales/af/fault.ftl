# What a person sees when a request was not answered as asked.

fault-start = Gaan na die begin
fault-mention = As jy hulp vra, noem asseblief hierdie nommer:

fault-not-found-title = Hierdie bladsy bestaan nie
fault-not-found-advice = Die adres is dalk verkeerd getik, of wat hier was, is verwyder.
fault-forged-title = Hierdie vorm is nie meer geldig nie
fault-forged-advice = Niks is verander nie. Gaan asseblief terug, laai die bladsy weer en stuur die vorm nog een keer. Jou blaaier moet koekies van hierdie werf aanvaar.
fault-unavailable-title = Ons kan nie nou antwoord nie
fault-unavailable-advice = Probeer asseblief oor ’n minuut weer. ’n Vorm wat jy weer stuur, word nooit twee keer bespreek nie.
fault-broken-title = Iets het aan ons kant verkeerd geloop
fault-broken-advice = Ons weet reeds daarvan. Probeer asseblief oor ’n minuut weer.
fault-too-large-title = Dit is te groot
fault-too-large-advice = Verkort asseblief wat jy getik het en probeer weer.
fault-gone-title = Dit is nie meer moontlik nie
fault-gone-advice = Die tyd is intussen geneem. Kies asseblief ’n ander een.
fault-refused-title = Dit is nie meer moontlik nie
fault-refused-advice = Dit is te laat om hierdie bespreking hier te kanselleer. Praat asseblief met die besigheid.
fault-malformed-title = Ons kon nie daardie versoek verstaan nie
fault-malformed-advice = Gaan asseblief terug en probeer weer. As dit weer gebeur, begin by die eerste bladsy.
fault-forbidden-title = Dit is nie vir jou om te verander nie
fault-forbidden-advice = Jou rol by hierdie besigheid sluit dit nie in nie. Vra asseblief ’n eienaar.
fault-too-many-title = Dit is te dikwels gevra
fault-too-many-advice = Wag asseblief ’n rukkie en probeer weer. Niks is verander nie.
