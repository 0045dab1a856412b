/* SPDX-License-Identifier: Apache-2.0 */
/* train_matrix.c: the two things that take all the time. */
#include "train.h"

typedef float lanes __attribute__((vector_size(32), aligned(4), may_alias));

#define ROWS    4u
#define COLUMNS 16u
#define DEPTH   256u /* of a strip of the right matrix that stays in the cache */

/* Four rows and sixteen columns of the product, in registers. */
static void block(float *to, const float *left, const float *right, size_t left_step, size_t step,
                  size_t depth)
{
    lanes sums[ROWS][2];
    for (size_t r = 0; r < ROWS; r++) {
        sums[r][0] = *(const lanes *)(to + r * step);
        sums[r][1] = *(const lanes *)(to + r * step + 8);
    }
    for (size_t i = 0; i < depth; i++) {
        const lanes first = *(const lanes *)(right + i * step);
        const lanes second = *(const lanes *)(right + i * step + 8);
        for (size_t r = 0; r < ROWS; r++) {
            const float factor = left[r * left_step + i];
            sums[r][0] += factor * first;
            sums[r][1] += factor * second;
        }
    }
    for (size_t r = 0; r < ROWS; r++) {
        *(lanes *)(to + r * step) = sums[r][0];
        *(lanes *)(to + r * step + 8) = sums[r][1];
    }
}

/* What is left over at the edges. */
static void edge(float *to, const float *left, const float *right, size_t left_step, size_t step,
                 size_t depth, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < depth; i++) {
            const float factor = left[r * left_step + i];
            for (size_t c = 0; c < columns; c++) {
                to[r * step + c] += factor * right[i * step + c];
            }
        }
    }
}

static void strip(float *to, const float *left, const float *right, size_t m, size_t k, size_t n,
                  size_t depth)
{
    for (size_t c = 0; c < n; c += COLUMNS) {
        for (size_t r = 0; r < m; r += ROWS) {
            float *corner = to + r * n + c;
            if (m - r >= ROWS && n - c >= COLUMNS) {
                block(corner, left + r * k, right + c, k, n, depth);
            } else {
                edge(corner, left + r * k, right + c, k, n, depth, m - r < ROWS ? m - r : ROWS,
                     n - c < COLUMNS ? n - c : COLUMNS);
            }
        }
    }
}

void train_multiply(float *to, const float *left, const float *right, size_t m, size_t k, size_t n)
{
    for (size_t i = 0; i < k; i += DEPTH) {
        strip(to, left + i, right + i * n, m, k, n, k - i < DEPTH ? k - i : DEPTH);
    }
}

void train_transpose(float *to, const float *from, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r += 8) {
        for (size_t c = 0; c < columns; c++) {
            for (size_t i = r; i < r + 8 && i < rows; i++) {
                to[c * rows + i] = from[i * columns + c];
            }
        }
    }
}
