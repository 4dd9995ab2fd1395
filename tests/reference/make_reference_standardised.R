# Standardised incidences of cause-specific Cox models (g-formula): riskRegression::ate on 300 simulated spells.
# Run by `make reference`; writes standardised_spells.csv and standardised.csv beside this file.
suppressMessages({library(riskRegression); library(survival); library(prodlim)})
set.seed(2026)
n <- 300
x <- round(rnorm(n), 3)
a <- rbinom(n, 1, plogis(x))
relapse <- rexp(n, exp(0.5 * a + 0.4 * x) / 500)
death <- rexp(n, exp(0.2 * x - 0.1 * a) / 1500)
end <- runif(n, 100, 2000)
time <- pmin(relapse, death, end)
event <- ifelse(time == end, "censored", ifelse(time == relapse, "relapse", "death"))
spells <- data.frame(entry = 0, time = round(time, 4), event = event, a = a, x = x)
write.csv(spells, "standardised_spells.csv", row.names = FALSE, quote = FALSE)
spells$code <- match(spells$event, c("censored", "relapse", "death")) - 1
spells$A <- factor(spells$a)
fit <- CSC(Hist(time, code) ~ A + x, data = spells, method = "efron")
rows <- do.call(rbind, lapply(1:2, function(cause) {
  result <- ate(fit, treatment = "A", data = spells, times = c(200, 600), cause = cause, se = TRUE,
                product.limit = FALSE, verbose = FALSE)
  mean <- as.data.frame(result$meanRisk)
  gap <- as.data.frame(result$diffRisk)
  event <- c("relapse", "death")[cause]
  rbind(data.frame(event = event, what = paste0("a = ", mean$treatment), time = mean$time,
                   estimate = mean$estimate, std_error = mean$se),
        data.frame(event = event, what = "difference", time = gap$time, estimate = gap$estimate, std_error = gap$se))
}))
write.csv(format(rows, digits = 15), "standardised.csv", row.names = FALSE, quote = FALSE)
