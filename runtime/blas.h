/* The functions of OpenBLAS that adl calls, BLAS by its C interface and LAPACK by Fortran's. They
 * are not linked: OpenBLAS with the libraries it needs takes as long to load as all the rest of a
 * start, so it is loaded by the first product. The names below stand for pointers into it; a call
 * reads as always. */
#ifndef BLAS_H
#define BLAS_H
#include <cblas.h>
#include "lapack.h"

#define BLAS_FUNCTIONS(F) \
    F(cblas_dgemm) F(cblas_sgemm) F(cblas_dgemv) F(cblas_sgemv) F(cblas_ddot) F(cblas_dsdot) \
    F(cblas_dger) F(cblas_sger) \
    F(dgetrf_) F(dgetri_) F(dgetrs_) F(dtrtrs_) F(dpotrf_) F(dgeqrf_) F(dorgqr_) F(dsyevd_) \
    F(dgesdd_)
typedef struct BlasFunctions {
#define F(name) __typeof__(&name) name;
    BLAS_FUNCTIONS(F)
#undef F
} BlasFunctions;

/* Loads it at the first call; fails with advice if it is not installed. Any thread may ask. */
const BlasFunctions *blas(void);

#ifndef BLAS_TABLE
#define cblas_dgemm blas()->cblas_dgemm
#define cblas_sgemm blas()->cblas_sgemm
#define cblas_dgemv blas()->cblas_dgemv
#define cblas_sgemv blas()->cblas_sgemv
#define cblas_ddot blas()->cblas_ddot
#define cblas_dsdot blas()->cblas_dsdot
#define cblas_dger blas()->cblas_dger
#define cblas_sger blas()->cblas_sger
#define dgetrf_ blas()->dgetrf_
#define dgetri_ blas()->dgetri_
#define dgetrs_ blas()->dgetrs_
#define dtrtrs_ blas()->dtrtrs_
#define dpotrf_ blas()->dpotrf_
#define dgeqrf_ blas()->dgeqrf_
#define dorgqr_ blas()->dorgqr_
#define dsyevd_ blas()->dsyevd_
#define dgesdd_ blas()->dgesdd_
#endif

/* What OpenBLAS says of itself, or "not there"; the kernels it chose, "" if it does not say. */
const char *blas_configuration(void);
const char *blas_core(void);
#endif
