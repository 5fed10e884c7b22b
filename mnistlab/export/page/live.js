"use strict";
const ready = start(View);
