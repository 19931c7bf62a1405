/* Special functions that no C library has: polygamma of any order. */
#include <math.h>
#include "elem.h"
#include "vmath.h"

/* The Bernoulli numbers B2, B4, ... B24. */
static const double bernoulli[] = {
    1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510,
    43867.0 / 798, -174611.0 / 330, 854513.0 / 138, -236364091.0 / 2730,
};

/* The nth derivative of cot at x (n up to 20), as a polynomial in c = cot x: D p(c) = -(1 + c^2)
 * p'(c). */
static double cotangent_derivative(int n, double x) {
    double p[24] = { 0, 1 }, c = 1 / tan(x), value = 0;
    for (int k = 0; k < n; k++) {
        double q[24] = { 0 };
        for (int i = 1; i <= k + 1; i++) {
            q[i - 1] -= i * p[i];
            q[i + 1] -= i * p[i];
        }
        for (int i = 0; i < 24; i++) p[i] = q[i];
    }
    for (int i = n + 1; i >= 0; i--) value = value * c + p[i];
    return value;
}

/* Abramowitz and Stegun 6.4: the recurrence 6.4.6 up to x >= 15 + n, there the asymptotic series
 * 6.4.11; below zero the reflection 6.4.7. At the pole 0 the limit from the side
 * of the zero's sign; NaN at the other poles and where the order is no whole number. */
double polygamma(double order, double x) {
    if (order != order || x != x || order < 0 || order > 20 || order != floor(order)) return NAN;
    int n = (int)order;
    if (n == 0) return vm_digamma(x);
    if (x <= 0) {
        if (x == 0) return n % 2 ? INFINITY : copysign(INFINITY, -x);
        if (x == floor(x)) return NAN;
        double sign = n % 2 ? -1 : 1;
        return sign * polygamma(order, 1 - x) -
               pow(M_PI, n + 1) * cotangent_derivative(n, M_PI * x);
    }
    double factorial = tgamma(n + 1), sum = 0, sign = n % 2 ? 1 : -1;
    for (; x < 15 + n; x++) sum += sign * factorial / pow(x, n + 1);
    double square = 1 / (x * x);
    double series = factorial / n * pow(x, -n) + 0.5 * factorial * pow(x, -n - 1);
    double term =
        tgamma(n + 2) / 2 * pow(x, -n - 2); /* (2k + n - 1)! / (2k)! x^(-2k - n) at k = 1 */
    for (int k = 1; k <= 12; k++) {
        series += bernoulli[k - 1] * term;
        term *= (double)(2 * k + n) * (2 * k + n + 1) / ((2 * k + 1) * (2 * k + 2.0)) * square;
    }
    return sum + sign * series;
}
