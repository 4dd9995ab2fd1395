# Makes recurrence_*.csv of this folder: the patients and what R says of their mean number of relapses.
#   Rscript tests/reference/make_reference_recurrence.R [folder]
# Needs survival and mets (Debian: r-cran-survival r-cran-mets). The tests compare with the committed files without R.
suppressPackageStartupMessages({
  library(survival)
  library(mets)
})

invisible(Sys.setlocale("LC_COLLATE", "C"))
arguments <- commandArgs(trailingOnly = TRUE)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
folder <- if (length(arguments)) arguments[1] else dirname(script)
# 17 digits: a number written and read again is the same number
exact <- function(frame) data.frame(lapply(frame, function(x) if (is.double(x)) sprintf("%.17g", x) else x))
save_csv <- function(frame, name) write.csv(exact(frame), file.path(folder, name), row.names = FALSE, quote = FALSE, na = "")

# Patients who relapse on up to four lines, start the next after a while, die or are lost. A patient's own pace makes
# the gaps hang together. No two times are equal, because mets expects none; `delayed` lets a third enter late.
simulated <- function(dataset, delayed, n = 240, seed = 20261123) {
  set.seed(seed)
  do.call(rbind, lapply(seq_len(n), function(id) {
    pace <- rgamma(1, 2, 2)
    group <- sample(c("first", "second"), 1)
    end <- c(death = rexp(1, 0.4 * pace / 900), lost = runif(1, 100, 1500))
    left <- min(end)
    entered <- if (delayed && runif(1) < 1 / 3) runif(1, 0, 400) else 0
    if (entered >= left) return(NULL)
    rows <- NULL
    began <- 0
    for (line in 1:4) {
      relapse <- began + rexp(1, line * pace / 500)
      following <- relapse + runif(1, 5, 60)
      event <- if (relapse < left) "relapse" else if (end[["death"]] <= left) "death" else "censored"
      stop <- min(relapse, left)
      if (stop > entered) {
        rows <- rbind(rows, data.frame(
          dataset, patient_id = id, group, line, start_day = began, entry = max(0, entered - began), time = stop - began, event,
          entered, left, died = as.integer(end[["death"]] <= left)
        ))
      }
      if (following >= left) break
      began <- following
    }
    # Watched from entry to the end, yet no spell seen: the patient is at risk of death all the same.
    if (is.null(rows)) rows <- data.frame(dataset, patient_id = id, group, line = NA, start_day = NA, entry = NA, time = NA, event = NA, entered, left, died = as.integer(end[["death"]] <= left))
    rows
  }))
}

# Times as registers have them, in whole `unit`s: what mets makes of ties.
in_units <- function(data, dataset, unit) {
  stop <- ceiling((data$start_day + data$time) / unit)
  data$start_day <- ceiling(data$start_day / unit)
  data$time <- stop - data$start_day
  data$left <- ceiling(data$left / unit)
  data$dataset <- dataset
  data
}

# Two relapses on day 2: mets counts the second among one patient less.
tied <- data.frame(
  dataset = "tied", patient_id = c(1, 1, 2, 2, 3, 4), group = "first", line = c(1, 2, 1, 2, 1, 1), start_day = c(0, 2, 0, 2, 0, 0), entry = 0,
  time = c(2, 3, 2, 3.5, 3, 4), event = c("relapse", "death", "relapse", "censored", "relapse", "death"),
  entered = 0, left = c(5, 5, 5.5, 5.5, 6, 4), died = c(1, 1, 0, 0, 0, 1)
)

untied <- simulated("untied", FALSE)
patients <- rbind(
  untied, simulated("delayed", TRUE, seed = 7), in_units(untied, "days", 1), in_units(untied, "months", 365.25 / 12), tied
)
save_csv(patients, "recurrence_spells.csv")

# One row from each relapse to the next, as phreg wants the recurrent events; one row per patient for death.
mean_number <- function(data, strata) {
  whole <- data[!duplicated(data$patient_id), ]
  pieces <- do.call(rbind, lapply(split(data, data$patient_id), function(one) {
    relapses <- sort((one$start_day + one$time)[one$event %in% "relapse"])
    start <- c(one$entered[1], relapses)
    stop <- c(relapses, one$left[1])
    keep <- stop > start
    data.frame(patient_id = one$patient_id[1], group = one$group[1], start, stop, status = c(rep(1, length(relapses)), 0))[keep, ]
  }))
  recurrent <- phreg(if (strata) Surv(start, stop, status) ~ strata(group) + cluster(patient_id) else Surv(start, stop, status) ~ cluster(patient_id), data = pieces)
  # Death on the same pieces, so that both models have the same rows: mets needs it so.
  last <- !duplicated(pieces$patient_id, fromLast = TRUE)
  pieces$dead <- ifelse(last, whole$died[match(pieces$patient_id, whole$patient_id)], 0)
  death <- phreg(if (strata) Surv(start, stop, dead) ~ strata(group) + cluster(patient_id) else Surv(start, stop, dead) ~ cluster(patient_id), data = pieces)
  fit <- recurrentMarginal(recurrent, death)
  data.frame(
    dataset = data$dataset[1], stratum = if (strata) c("first", "second")[fit$strata + 1] else "all", time = fit$times,
    estimate = fit$mu, std_error = fit$se.mu
  )
}

sets <- split(patients, factor(patients$dataset, unique(patients$dataset)))
save_csv(
  do.call(rbind, c(lapply(sets, mean_number, FALSE), lapply(sets[c("untied", "delayed")], mean_number, TRUE))),
  "recurrence_mean_number.csv"
)
writeLines(capture.output(print(sessionInfo(), locale = FALSE)), file.path(folder, "recurrence_sessionInfo.txt"))
