# Makes every CSV of this folder: the data and what R says of them. Run by `make reference`, or
#   Rscript tests/reference/make_reference.R [folder]
# Needs survival, cmprsk and prodlim (Debian: r-cran-survival r-cran-cmprsk r-cran-prodlim).
# The tests compare with the committed files, so no test run needs R.
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
  library(prodlim)
})

invisible(Sys.setlocale("LC_COLLATE", "C")) # strata in the same order everywhere
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
save_csv <- function(frame, name) write.csv(frame, file.path(folder, name), row.names = FALSE, na = "")

# --- data -----------------------------------------------------------------------------------------------------------

# Whole days, many ties, four groups, a third of the subjects entering late, case weights of 1 to 3.
simulated <- function(n = 300, seed = 20261123) {
  set.seed(seed)
  group <- paste("group", sample(1:4, n, replace = TRUE))
  entry <- ifelse(runif(n) < 1 / 3, sample(1:40, n, replace = TRUE), 0)
  speed <- 1 + as.integer(factor(group)) / 4
  relapse <- rexp(n, speed / 90)
  death <- rexp(n, 1 / 160)
  censoring <- runif(n, 10, 150)
  left <- ceiling(pmin(relapse, death, censoring))
  event <- ifelse(relapse <= death & relapse <= censoring, "relapse", ifelse(death <= censoring, "death", "censored"))
  data.frame(dataset = "simulated", group, entry, time = entry + left, event, weight = sample(1:3, n, replace = TRUE))
}

# What breaks programs: one cause only, no event at all, one subject, everybody on one day, events at time 0,
# the curve flat at exactly one half, everybody dead at the end.
hard <- function() {
  block <- function(group, time, event) data.frame(dataset = "hard", group, entry = 0, time, event, weight = 1)
  rbind(
    block("flat half", 1:6, "death"),
    block("no event", c(3, 5, 5, 9), "censored"),
    block("one cause", c(2, 2, 4, 7, 7, 8), c("relapse", "censored", "relapse", "relapse", "censored", "relapse")),
    block("one day", rep(4, 5), c("relapse", "death", "relapse", "censored", "death")),
    block("one subject", 6, "relapse"),
    block("time zero", c(0, 0, 0, 2, 3, 3, 5), c("death", "relapse", "censored", "relapse", "death", "censored", "death"))
  )
}

# Monoclonal gammopathy (survival::mgus2): progression to a plasma-cell malignancy, called relapse here, against death.
gammopathy <- function() {
  event <- with(mgus2, ifelse(pstat == 1, "relapse", ifelse(death == 1, "death", "censored")))
  time <- with(mgus2, ifelse(pstat == 1, ptime, futime))
  data.frame(dataset = "mgus2", group = as.character(mgus2$sex), entry = 0, time, event, weight = 1)
}

# Survival in myeloma from diagnosis, many referred late (survival::myeloma); every fifth row keeps the file small.
referred <- function() {
  kept <- subset(survival::myeloma, entry < futime)
  kept <- kept[seq(1, nrow(kept), 5), ]
  event <- ifelse(kept$death == 1, "death", "censored")
  group <- ifelse(kept$year < 75, "before 1975", "from 1975")
  data.frame(dataset = "myeloma", group, entry = kept$entry, time = kept$futime, event, weight = 1)
}

spells <- rbind(simulated(), hard(), gammopathy(), referred())
spells$id <- seq_len(nrow(spells))
save_csv(spells, "spells.csv")

# --- curves ---------------------------------------------------------------------------------------------------------

stratum_names <- function(fit) {
  if (is.null(fit$strata)) return(rep("all", length(fit$time)))
  rep(sub("^group=", "", names(fit$strata)), fit$strata)
}

delayed <- function(data) any(data$entry > 0)

# Whole weights stand for rows repeated; fractional ones (0.37 times the whole) call for R's robust error.
weighted_by <- function(data, weights) {
  data$weight <- switch(weights, none = 1, whole = data$weight, fractional = 0.37 * data$weight)
  data
}

kaplan_meier <- function(data, conf.type, weights = "none") {
  data <- weighted_by(data, weights)
  data$died <- as.integer(data$event != "censored")
  robust <- weights == "fractional"
  if (delayed(data)) {
    survfit(Surv(entry, time, died) ~ group, data, conf.type = conf.type, weights = weight, robust = robust, id = id)
  } else {
    survfit(Surv(time, died) ~ group, data, conf.type = conf.type, weights = weight, robust = robust, id = id)
  }
}

kaplan_meier_rows <- function(data, conf.type, weights = "none") {
  fit <- kaplan_meier(data, conf.type, weights)
  gone <- fit$surv < 1e-12 # no error there; with fractional weights R's own sums stop short of 0
  std_error <- ifelse(gone, NA, fit$std.err * (if (fit$logse) fit$surv else 1))
  data.frame(
    dataset = data$dataset[1], conf_type = conf.type, weights, stratum = stratum_names(fit), time = fit$time,
    at_risk = fit$n.risk, events = fit$n.event, censored = fit$n.censor, estimate = fit$surv,
    std_error, conf_low = fit$lower, conf_high = fit$upper
  )
}

datasets <- split(spells, factor(spells$dataset, unique(spells$dataset)))
save_csv(
  rbind(
    do.call(rbind, lapply(datasets, kaplan_meier_rows, "log-log")),
    do.call(rbind, lapply(datasets[c("simulated", "hard")], kaplan_meier_rows, "log")),
    do.call(rbind, lapply(datasets[c("simulated", "hard")], kaplan_meier_rows, "plain")),
    kaplan_meier_rows(datasets$simulated, "log-log", "whole"),
    kaplan_meier_rows(datasets$simulated, "log-log", "fractional")
  ),
  "kaplan_meier.csv"
)

aalen_johansen_rows <- function(data, conf.type, weights = "none") {
  # R's multi-state error takes a weight of 2 for one subject that counts double; repeated rows are told by repeating.
  if (weights == "whole") data <- data[rep(seq_len(nrow(data)), data$weight), ]
  data$id <- seq_len(nrow(data))
  data <- weighted_by(data, if (weights == "whole") "none" else weights)
  data$outcome <- factor(data$event, c("censored", "relapse", "death"))
  fit <- if (delayed(data)) {
    survfit(Surv(entry, time, outcome) ~ group, data, conf.type = conf.type, weights = weight, id = id)
  } else {
    survfit(Surv(time, outcome) ~ group, data, conf.type = conf.type, weights = weight, id = id)
  }
  causes <- setdiff(intersect(fit$states, unique(data$event)), "censored")
  do.call(rbind, lapply(causes, function(cause) {
    column <- match(cause, fit$states)
    data.frame(
      dataset = data$dataset[1], conf_type = conf.type, weights, stratum = stratum_names(fit), event = cause, time = fit$time,
      estimate = fit$pstate[, column], std_error = fit$std.err[, column],
      conf_low = fit$lower[, column], conf_high = fit$upper[, column]
    )
  }))
}

save_csv(
  rbind(
    do.call(rbind, lapply(datasets[c("simulated", "hard", "mgus2")], aalen_johansen_rows, "log-log")),
    aalen_johansen_rows(datasets$simulated, "log"),
    aalen_johansen_rows(datasets$simulated, "plain"),
    aalen_johansen_rows(datasets$simulated, "log-log", "whole"),
    aalen_johansen_rows(datasets$simulated, "log-log", "fractional")
  ),
  "aalen_johansen.csv"
)

# --- quantiles and follow-up -----------------------------------------------------------------------------------------

quantile_rows <- function(data, conf.type, reverse = FALSE) {
  if (reverse) data$event <- ifelse(data$event == "censored", "death", "censored")
  fit <- kaplan_meier(data, conf.type)
  found <- quantile(fit, c(0.25, 0.5, 0.75))
  rows <- function(part) as.vector(t(found[[part]]))
  data.frame(
    dataset = data$dataset[1], conf_type = conf.type, estimand = if (reverse) "follow-up" else "survival",
    stratum = rep(sub("^group=", "", names(fit$strata)), each = 3), probability = c(0.25, 0.5, 0.75),
    estimate = rows("quantile"), conf_low = rows("lower"), conf_high = rows("upper")
  )
}

quantile_all <- function(conf.type) do.call(rbind, lapply(datasets, quantile_rows, conf.type))
save_csv(
  rbind(
    quantile_all("log-log"), quantile_all("log"), quantile_all("plain"),
    do.call(rbind, lapply(datasets, quantile_rows, "log-log", reverse = TRUE))
  ),
  "quantiles.csv"
)

# Quantiles of many small sets with heavy ties: where programs miss the flat stretch at one half. In every other set
# some enter late, so that the limits do not fall all the way.
small_quantiles <- function(sets = 150, seed = 7) {
  set.seed(seed)
  probabilities <- c(0.25, 0.5, 0.75)
  do.call(rbind, lapply(seq_len(sets), function(set) {
    n <- sample(2:14, 1)
    time <- sample(1:9, n, replace = TRUE)
    died <- rbinom(n, 1, 0.7)
    entry <- if (set %% 2) rep(0, n) else pmin(sample(0:6, n, replace = TRUE), time - 1)
    outcome <- if (all(entry == 0)) Surv(time, died) else Surv(entry, time, died)
    do.call(rbind, lapply(c("log-log", "plain"), function(conf.type) {
      found <- quantile(survfit(outcome ~ 1, conf.type = conf.type), probabilities)
      data.frame(
        set, conf_type = conf.type, entries = paste(entry, collapse = " "), times = paste(time, collapse = " "), died = paste(died, collapse = " "),
        probability = probabilities, estimate = as.vector(found$quantile), conf_low = as.vector(found$lower),
        conf_high = as.vector(found$upper)
      )
    }))
  }))
}
save_csv(small_quantiles(), "small_quantiles.csv")

# --- the witnesses beside survfit --------------------------------------------------------------------------------------

# cmprsk gives the estimate (its variance is Aalen's, another form), prodlim estimate and standard error.
incidence_rows <- function(data, times) {
  code <- match(data$event, c("censored", "relapse", "death")) - 1
  found <- timepoints(cuminc(data$time, code, data$group), times)$est
  data$code <- code
  limits <- prodlim(Hist(time, code) ~ group, data)
  do.call(rbind, lapply(rownames(found), function(name) {
    group <- sub(" [12]$", "", name)
    cause <- as.integer(sub("^.* ", "", name))
    there <- summary(limits, times = times, cause = cause, newdata = data.frame(group = group), asMatrix = FALSE)
    second <- as.data.frame(there$table[[as.character(cause)]][[1]])
    data.frame(
      dataset = data$dataset[1], stratum = group, event = c("relapse", "death")[cause], time = times,
      cuminc = found[name, ], prodlim = second[["cuminc"]], prodlim_std_error = second[["se.cuminc"]]
    )
  }))
}

# --- rates and shares ----------------------------------------------------------------------------------------------------

rate_rows <- function() {
  cases <- data.frame(events = c(0, 1, 4, 37, 820), person_years = c(3.5, 12.25, 0.75, 410, 9000))
  limits <- t(mapply(function(e, y) poisson.test(e, y)$conf.int, cases$events, cases$person_years))
  data.frame(cases, estimate = 100 * cases$events / cases$person_years, conf_low = 100 * limits[, 1], conf_high = 100 * limits[, 2])
}
save_csv(rate_rows(), "rates.csv")

share_rows <- function() {
  cases <- data.frame(count = c(0, 1, 7, 256, 40), total = c(5, 9, 20, 994, 40))
  limits <- t(mapply(function(x, n) suppressWarnings(prop.test(x, n, correct = FALSE))$conf.int, cases$count, cases$total))
  data.frame(cases, conf_low = limits[, 1], conf_high = limits[, 2])
}
save_csv(share_rows(), "shares.csv")

# Quartiles of a number: R's default rule.
values <- c(61, 54, 70, 66, 48, 73, 59, 64, 64, 81)
save_csv(data.frame(value = values, t(quantile(values, c(0.25, 0.5, 0.75), names = FALSE))), "quartiles.csv")

witnessed <- transform(subset(datasets$simulated, entry == 0), dataset = "simulated, no delay")
save_csv(rbind(incidence_rows(witnessed, c(20, 60, 100)), incidence_rows(datasets$mgus2, c(12, 60, 120, 240))), "incidence_witnesses.csv")

writeLines(capture.output(print(sessionInfo(), locale = FALSE)), file.path(folder, "sessionInfo.txt"))
