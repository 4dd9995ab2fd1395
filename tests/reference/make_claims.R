# Makes claims_*.csv in this folder: what R says of data too many to keep, which the tests make anew by the same arithmetic.
#   Rscript tests/reference/make_claims.R [folder]
# Needs survival and cmprsk (Debian: r-cran-survival r-cran-cmprsk); versions: sessionInfo.txt. `make reference` runs it.
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
})

arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
save_csv <- function(frame, name) {
  numbers <- vapply(frame, is.double, TRUE)
  frame[numbers] <- lapply(frame[numbers], function(x) ifelse(is.na(x), "", formatC(x, digits = 17, format = "g", width = 1)))
  write.csv(frame, file.path(folder, name), row.names = FALSE, na = "", quote = which(!numbers))
}
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60)

# Numbers in (0, 1): x <- x * multiplier modulo a prime below 2^26, so that every product is exact in both languages.
uniform <- function(n, seed) {
  prime <- 67108859
  step <- 26590841
  x <- seed
  while (length(x) < n) {
    x <- c(x, (x * step) %% prime)
    step <- (step * step) %% prime
  }
  x[seq_len(n)] / prime
}

# --- Cox, 600 small sets ----------------------------------------------------------------------------------------------

# Eight to thirty-one rows each: ties, two strata, late entries, weights, covariates of size 1, 1000, 0.01 and a few 0/1.
small_set <- function(number) {
  u <- uniform(300, 1000 + 7919 * number)
  n <- 8 + floor(24 * u[1])
  column <- function(place) u[10 + 32 * place + seq_len(n)]
  entry <- ifelse(column(0) < 0.3, floor(4 * column(1)), 0)
  data.frame(
    entry, time = entry + 1 + floor(8 * column(2)), had = as.integer(column(3) < 0.6), weight = 1 + floor(3 * column(4)),
    stratum = floor(2 * column(5)), a = c(1, 1000, 0.01)[1 + number %% 3] * (column(6) - 0.5), b = as.integer(column(7) < 0.4)
  )
}

small_rows <- function(number) {
  d <- small_set(number)
  said <- ""
  fit <- tryCatch(withCallingHandlers(
    coxph(Surv(entry, time, had) ~ a + b + strata(stratum), d, weights = weight, ties = c("efron", "breslow")[1 + number %% 2], control = exact),
    warning = function(w) {
      said <<- if (grepl("infinite", conditionMessage(w))) "infinite" else if (grepl("iterations", conditionMessage(w))) "ran out" else conditionMessage(w)
      invokeRestart("muffleWarning")
    }
  ), error = function(e) {
    said <<- if (grepl("overflow", conditionMessage(e))) "overflow" else stop(e)
    list(coefficients = c(NA, NA), var = diag(2))
  })
  # A column that is left out has no error either.
  found <- unname(fit$coefficients)
  data.frame(set = number, said, term = c("a", "b"), coefficient = found, model_error = ifelse(is.na(found), NA, sqrt(diag(fit$var))))
}
save_csv(do.call(rbind, lapply(1:600, small_rows)), "claims_small_sets.csv")

# --- Cox, a million rows ----------------------------------------------------------------------------------------------

million <- function(n = 1e6) {
  u <- matrix(uniform(14 * n, 20261124), n)
  x <- u[, 1:10] - 0.5
  colnames(x) <- paste0("x", 0:9)
  speed <- 1 + x[, 1] - 0.5 * x[, 2] # no exp or log: they need not be the same to the last digit everywhere
  entry <- ifelse(u[, 11] < 0.4, floor(200 * u[, 12]), 0)
  data.frame(x, entry, time = entry + 1 + floor(2000 * u[, 13] * u[, 13] / (0.1 + speed)), had = as.integer(u[, 14] < 0.4), line = 1 + floor(4 * u[, 12]))
}
fit <- coxph(as.formula(paste("Surv(entry, time, had) ~ strata(line) +", paste0("x", 0:9, collapse = " + "))), million(), control = exact)
save_csv(data.frame(term = names(coef(fit)), coefficient = unname(coef(fit)), model_error = sqrt(diag(fit$var))), "claims_million.csv")

# --- Gray's test, 400 sets ----------------------------------------------------------------------------------------------

# Four to nine subjects in two or three groups, times of one to six days.
gray_row <- function(number) {
  u <- uniform(40, 500 + 104729 * number)
  n <- 4 + floor(6 * u[1])
  column <- function(place) u[1 + 9 * place + seq_len(n)]
  group <- floor((2 + number %% 2) * column(2))
  statistic <- tryCatch(
    {
      tests <- cuminc(1 + floor(6 * column(0)), floor(3 * column(1)), group)$Tests
      # one group, or no event of the kind: no test
      if (is.null(tests) || !"1" %in% rownames(tests)) NA else unname(tests["1", "stat"])
    },
    error = function(e) -2
  )
  data.frame(set = number, statistic)
}
save_csv(do.call(rbind, lapply(1:400, gray_row)), "claims_gray.csv")

# --- single figures -----------------------------------------------------------------------------------------------------

d <- read.csv(file.path(folder, "hazards_data.csv"))
d <- d[d$dataset == "simulated", ]
d$state <- factor(d$event, c("censored", "relapse", "death"))
d$had <- as.integer(d$event == "relapse")
d$row <- seq_len(nrow(d))
several <- coxph(Surv(time, state) ~ age + sex + stage + marker, d, id = row)
single <- coxph(Surv(time, had) ~ age + sex + stage + marker, d)
profile <- data.frame(age = 55, sex = "female", stage = "I", marker = 2)
multi_state <- survfit(several, newdata = profile)
whole <- subset(mgus2, !is.na(mspike))
whole$first <- factor(ifelse(whole$pstat == 1, 1, 2 * whole$death), 0:2)
whole$days <- ifelse(whole$pstat == 1, whole$ptime, whole$futime)
save_csv(data.frame(
  figure = c("largest difference of the coefficients, multi-state and single", "cumulative hazard at 5, survfit of the multi-state coxph",
    "cumulative hazard at 5, survfit of the single coxph", "rows of mgus2", "rows that finegray makes of them"),
  value = c(max(abs(coef(several)[1:5] - coef(single))), summary(multi_state, times = 5)$cumhaz[1], summary(survfit(single, newdata = profile), times = 5)$cumhaz[1],
    nrow(whole), nrow(finegray(Surv(days, first) ~ ., whole, etype = "1")))
), "claims_figures.csv")
