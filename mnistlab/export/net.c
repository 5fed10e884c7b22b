/* A trained net for images, written by mnistlab.
$about
 *
 * mnistlab_run(image, probabilities) takes the $channels x $height x $width bytes of one image, as they are,
 * row by row, and fills $outputs probabilities. It allocates nothing, needs $bytes bytes of memory besides its
 * weights, which are constant, and is not to be run twice at once.
 * With -DMNISTLAB_MAIN this is a program: ./net IMAGES.idx [LABELS.idx]
 *     cc -std=c99 -O2 -DMNISTLAB_MAIN net.c -lm -o net
 */
#include <math.h>
#include <stdint.h>

#define MNISTLAB_BYTES ($channels * $height * $width)
#define MNISTLAB_OUTPUTS $outputs
#define MNISTLAB_CLASSES $classes /* of the first label, whose probabilities come first */

$weights

static float memory[$size];
$arrays

void mnistlab_run(const uint8_t *$image, float *probabilities);

void mnistlab_run(const uint8_t *$image, float *probabilities) {
    $loops
}

#ifdef MNISTLAB_MAIN
#include <stdio.h>
#include <string.h>

/* The number of items of an idx file of bytes, behind whose head it stands then; -1 if it is none. */
static long mnistlab_items(FILE *file, long bytes_each) {
    unsigned char head[4], word[4];
    long items = 0, each = 1;
    if (fread(head, 1, 4, file) != 4 || head[0] || head[1] || head[2] != 8) return -1;
    for (int i = 0; i < head[3]; i++) {
        if (fread(word, 1, 4, file) != 4) return -1;
        long size = (long)word[0] << 24 | (long)word[1] << 16 | (long)word[2] << 8 | word[3];
        if (i) each *= size; else items = size;
    }
    return each == bytes_each ? items : -1;
}

int main(int count, char **words) {
    unsigned char image[MNISTLAB_BYTES], label;
    float probabilities[MNISTLAB_OUTPUTS];
    long right = 0;
    FILE *images = count > 1 ? fopen(words[1], "rb") : 0, *labels = count > 2 ? fopen(words[2], "rb") : 0;
    if (!images || (count > 2 && !labels)) { fprintf(stderr, "usage: %s IMAGES.idx [LABELS.idx]\n", words[0]); return 2; }
    long items = mnistlab_items(images, MNISTLAB_BYTES);
    if (items < 0 || (labels && mnistlab_items(labels, 1) != items)) {
        fprintf(stderr, "%s: no idx file of $channels x $height x $width bytes an image, with as many labels\n", words[1]);
        return 2;
    }
    for (long i = 0; i < items; i++) {
        int best = 0;
        if (fread(image, 1, sizeof image, images) != sizeof image || (labels && fread(&label, 1, 1, labels) != 1)) return 2;
        mnistlab_run(image, probabilities);
        for (int j = 1; j < MNISTLAB_CLASSES; j++) if (probabilities[j] > probabilities[best]) best = j;
        if (labels) right += best == label; else printf("%d\n", best);
    }
    if (labels) printf("%ld of %ld right\n", right, items);
    return 0;
}
#endif
