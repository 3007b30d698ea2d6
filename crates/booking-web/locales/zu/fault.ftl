# What a person sees when a request was not answered as asked.

fault-start = Iya ekuqaleni
fault-mention = Uma ucela usizo, sicela usho le nombolo:

fault-not-found-title = Leli khasi alikho
fault-not-found-advice = Mhlawumbe ikheli libhalwe ngephutha, noma okwakulapha kususiwe.
fault-forged-title = Leli fomu alisasebenzi
fault-forged-advice = Akukho okushintshiwe. Sicela ubuyele emuva, ulayishe ikhasi kabusha bese uthumela ifomu futhi. Isiphequluli sakho kufanele samukele amakhukhi aleli sayithi.
fault-unavailable-title = Asikwazi ukuphendula okwamanje
fault-unavailable-advice = Sicela uzame futhi emva komzuzu. Ifomu olithumela futhi alibhukhwa kabili.
fault-broken-title = Kukhona okungahambanga kahle ngakithi
fault-broken-advice = Sesazisiwe ngakho. Sicela uzame futhi emva komzuzu.
fault-too-large-title = Lokho kukhulu kakhulu
fault-too-large-advice = Sicela ufushanise okubhalile bese uzama futhi.
fault-gone-title = Lokhu akusenakwenzeka
fault-gone-advice = Isikhathi sesithathwe okwamanje. Sicela ukhethe esinye.
fault-refused-title = Lokhu akusenakwenzeka
fault-refused-advice = Sekwephuze kakhulu ukukhansela lokhu kubhukha lapha. Sicela ukhulume nebhizinisi.
fault-malformed-title = Asisiqondanga leso sicelo
fault-malformed-advice = Sicela ubuyele emuva uzame futhi. Uma kwenzeka kabili, qala ekhasini lokuqala.
fault-forbidden-title = Lokhu akukona okwakho ukukushintsha
fault-forbidden-advice = Indima yakho kuleli bhizinisi ayikufaki lokhu. Sicela ubuze umnikazi.
fault-too-many-title = Lokhu kucelwe kaningi kakhulu
fault-too-many-advice = Sicela ulinde isikhashana bese uzama futhi. Akukho okushintshiwe.
