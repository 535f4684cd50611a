"""Which properties of a mail flow rule limit the messages that it applies to?

Those of New-TransportRule's parameters that are conditions; each has an exception of the same name
behind ``ExceptIf``. What only qualifies another condition, and is always set, is none of them.
FromScope and SentToScope are read by themselves. Source: the page of the cmdlet, read in 2026.
"""

from typing import Final

CONDITIONS: Final = (
    "ADComparisonAttribute",
    "AnyOfCcHeader",
    "AnyOfCcHeaderMemberOf",
    "AnyOfRecipientAddressContainsWords",
    "AnyOfRecipientAddressMatchesPatterns",
    "AnyOfToCcHeader",
    "AnyOfToCcHeaderMemberOf",
    "AnyOfToHeader",
    "AnyOfToHeaderMemberOf",
    "AttachmentContainsWords",
    "AttachmentExtensionMatchesWords",
    "AttachmentHasExecutableContent",
    "AttachmentIsPasswordProtected",
    "AttachmentIsUnsupported",
    "AttachmentMatchesPatterns",
    "AttachmentNameMatchesPatterns",
    "AttachmentProcessingLimitExceeded",
    "AttachmentPropertyContainsWords",
    "AttachmentSizeOver",
    "BetweenMemberOf1",
    "BetweenMemberOf2",
    "ContentCharacterSetContainsWords",
    "From",
    "FromAddressContainsWords",
    "FromAddressMatchesPatterns",
    "FromMemberOf",
    "HasClassification",
    "HasNoClassification",
    "HasSenderOverride",
    "HeaderContainsMessageHeader",
    "HeaderContainsWords",
    "HeaderMatchesMessageHeader",
    "HeaderMatchesPatterns",
    "ManagerAddresses",
    "MessageContainsDataClassifications",
    "MessageSizeOver",
    "MessageTypeMatches",
    "RecipientADAttributeContainsWords",
    "RecipientADAttributeMatchesPatterns",
    "RecipientAddressContainsWords",
    "RecipientAddressMatchesPatterns",
    "RecipientDomainIs",
    "RecipientInSenderList",
    "SCLOver",
    "SenderADAttributeContainsWords",
    "SenderADAttributeMatchesPatterns",
    "SenderDomainIs",
    "SenderInRecipientList",
    "SenderIpRanges",
    "SenderManagementRelationship",
    "SentTo",
    "SentToMemberOf",
    "SubjectContainsWords",
    "SubjectMatchesPatterns",
    "SubjectOrBodyContainsWords",
    "SubjectOrBodyMatchesPatterns",
    "WithImportance",
)
# The exceptions by which the stamp of an add-on service ends a loop; two of them name the header.
GUARDS: Final = (
    "ExceptIfHeaderContainsMessageHeader",
    "ExceptIfHeaderContainsWords",
    "ExceptIfHeaderMatchesMessageHeader",
    "ExceptIfHeaderMatchesPatterns",
)
HEADERS: Final = tuple(each for each in GUARDS if each.endswith("MessageHeader"))
EXCEPTIONS: Final = tuple(
    name
    for each in (*CONDITIONS, "FromScope", "SentToScope")
    if (name := f"ExceptIf{each}") not in GUARDS
)
