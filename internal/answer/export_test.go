package answer

const CommonAnswers = commonAnswers

var Squash = squash
