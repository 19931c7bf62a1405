/* LAPACK's Fortran symbols, as far as lapack.c calls them: every argument is a pointer, matrices
 * are stored column by column, and the lengths of the texts follow the other arguments. OpenBLAS
 * has them all. */
#ifndef LAPACK_H
#define LAPACK_H
#include <stddef.h>

/* ---- factors of a square matrix: LU with pivots, and what is solved with it ---- */
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);
void dgetri_(const int *n, double *a, const int *lda, const int *pivots, double *work,
             const int *lwork, int *info);
void dgetrs_(const char *flip, const int *n, const int *columns, const double *a, const int *lda,
             const int *pivots, double *b, const int *ldb, int *info, size_t);
void dtrtrs_(const char *triangle, const char *flip, const char *unit, const int *n,
             const int *columns, const double *a, const int *lda, double *b, const int *ldb,
             int *info, size_t, size_t, size_t);
void dpotrf_(const char *triangle, const int *n, double *a, const int *lda, int *info, size_t);

/* ---- orthogonal factors ---- */
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau,
             double *work, const int *lwork, int *info);
void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda,
             double *values, double *work, const int *lwork, int *iwork, const int *liwork,
             int *info, size_t, size_t);
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info, size_t);
#endif
