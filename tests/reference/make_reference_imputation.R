# Makes imputation_*.csv of this folder: completed data sets, what R pools from them, and Nelson-Aalen of the outcome.
#   Rscript tests/reference/make_reference_imputation.R [folder]
# Needs survival and mice (Debian: r-cran-survival r-cran-mice). The tests compare with the committed files without R.
suppressPackageStartupMessages({
  library(survival)
  library(mice)
})

invisible(Sys.setlocale("LC_COLLATE", "C"))
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
# 17 digits: a number written and read again is the same number
exact <- function(frame) data.frame(lapply(frame, function(x) if (is.double(x)) sprintf("%.17g", x) else x), check.names = FALSE)
save_csv <- function(frame, name) write.csv(exact(frame), file.path(folder, name), row.names = FALSE, quote = FALSE, na = "")

set.seed(20261124)
n <- 160
marker <- rnorm(n)
stage <- factor(c("I", "II", "III")[1 + (marker + rnorm(n) > -0.5) + (marker + rnorm(n) > 0.7)])
flag <- as.integer(runif(n) < 0.3)
relapse <- rexp(n, exp(0.4 * marker + 0.3 * (stage == "III") + 0.6 * flag) / 300)
lost <- runif(n, 50, 900)
data <- data.frame(time = pmin(relapse, lost), relapsed = as.integer(relapse <= lost), marker, stage, flag)
data$H <- nelsonaalen(data, time, relapsed)
gaps <- data
gaps$marker[runif(n) < 0.25] <- NA
gaps$stage[runif(n) < 0.15] <- NA
gaps$flag[runif(n) < 0.2] <- NA

method <- c(time = "", relapsed = "", marker = "pmm", stage = "pmm", flag = "pmm", H = "")
predictors <- make.predictorMatrix(gaps)
predictors[, "time"] <- 0
completed <- mice(gaps, m = 6, maxit = 5, method = method, predictorMatrix = predictors, printFlag = FALSE, seed = 1)
save_csv(complete(completed, "long")[c(".imp", names(gaps))], "imputation_completed.csv")

tight <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 50)
fits <- with(completed, coxph(Surv(time, relapsed) ~ marker + stage + flag, control = tight))
pooled <- function(dfcom, name) {
  found <- summary(pool(fits, dfcom = dfcom), type = "all", conf.int = TRUE)
  found$term <- as.character(found$term)
  names(found)[names(found) %in% c("2.5 %", "97.5 %")] <- c("low", "high")
  cbind(complete = name, found)
}
events <- sum(gaps$relapsed)
all <- rbind(pooled(NULL, "default"), pooled(1e6, "1000000"), pooled(30, "30"))
stopifnot(all(all$dfcom[all$complete == "default"] == events - 4))
save_csv(all[c("complete", "term", "m", "estimate", "std.error", "df", "p.value", "low", "high", "fmi")], "imputation_pooled.csv")
writeLines(capture.output(sessionInfo())[1:3], file.path(folder, "imputation_sessionInfo.txt"))
cat(sprintf("mice %s, survival %s\n", packageVersion("mice"), packageVersion("survival")),
    file = file.path(folder, "imputation_sessionInfo.txt"), append = TRUE)
